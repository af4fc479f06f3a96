// What trino-client gets from a server, as one JSON object; tests/trino/test_js.py judges it.
//   node probe.mjs URL STATEMENT-OF-ENDLESS-ROWS
import {BasicAuth, Trino} from 'trino-client';

const [url, flood] = process.argv.slice(2);
const trino = Trino.create({server: url, source: 'js-probe', catalog: 'sales', schema: 'public',
                            auth: new BasicAuth('tester')});

async function all(sql) {
  const result = {columns: [], data: [], error: null, id: null};
  for await (const page of await trino.query(sql)) {
    result.id = page.id;
    if (page.columns) result.columns = page.columns.map(c => [c.name, c.type]);
    if (page.data) result.data.push(...page.data);
    if (page.error) result.error = {name: page.error.errorName, message: page.error.message};
    result.state = page.stats?.state;
  }
  return result;
}

// The client shows a query's id with its first rows: the statement must give rows without end.
async function cancelled() {
  const running = await trino.query(flood);
  const first = (await running.next()).value;
  await trino.cancel(first.id);
  for (;;) {
    const info = await trino.queryInfo(first.id);
    if (info.state === 'FAILED') return {rows: first.data.length, query: info.query};
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

const found = {
  values: await all(`SELECT 7 / 2 AS i, 'é' AS s, 1.50 AS d, 1e0 AS f, true AS b, NULL AS n,
                     ARRAY[1, 2] AS a, CAST(ROW(1, 'x') AS ROW(p integer, q varchar)) AS r,
                     DATE '2024-02-29' AS t`),
  count: await all('SELECT count(*) FROM customers'),
  many: (await all('SELECT orderkey FROM tpch.tiny.orders')).data.length,
  mistake: await all('SELECT nosuch FROM customers'),
  cancelled: await cancelled(),
};
console.log(JSON.stringify(found));
