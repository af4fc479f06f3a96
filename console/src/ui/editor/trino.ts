// Trino's dialect: what its lexer (src/sql/lexer_keywords.h) knows, by what it is.
import { SQLDialect } from '@codemirror/lang-sql'

export const kKeywords =
  'add after all alter analyze and any as asc at authorization begin bernoulli between both branch by call ' +
  'cascade case catalog catalogs column columns comment commit committed constraint create cross cube current ' +
  'current_catalog current_date current_path current_schema current_time current_timestamp current_user data day ' +
  'deallocate default define definer delete desc describe distinct distributed drop else end escape except ' +
  'excluding execute exists explain extract fetch filter first following for format from full function functions ' +
  'grant granted grants graphviz group grouping groups having hour if ignore in including inner input insert ' +
  'intersect interval into invoker is isolation join json_array json_exists json_object json_query json_table ' +
  'json_value last lateral left level like limit listagg local localtime localtimestamp logical match ' +
  'match_recognize matched materialized measures merge minute month natural next no none normalize not nulls of ' +
  'offset on only option or order ordinality outer output over partition partitions path pattern per preceding ' +
  'prepare privileges properties range read recursive refresh rename repeatable replace reset respect restrict ' +
  'revoke right role roles rollback rollup row rows schema schemas second security select serializable session set ' +
  'sets show some start stats subset system table tables tablesample then ties to transaction trim truncate ' +
  'try_cast type unbounded uncommitted union unnest update use user using validate values verbose version view ' +
  'week when where window with within without work write year zone'

const kTypes =
  'array bigint boolean char date decimal double hyperloglog integer int ipaddress json map precision qdigest real ' +
  'smallint tdigest time timestamp tinyint uuid varbinary varchar'

export const trinoDialect = SQLDialect.define({
  keywords: kKeywords,
  types: kTypes,
  builtin: '',
  identifierQuotes: '"',
  operatorChars: '*+-%<>!=|/',
  specialVar: '?',
  doubleQuotedStrings: false,
  backslashEscapes: false,
  hashComments: false,
  slashComments: false,
  spaceAfterDashes: false,
  caseInsensitiveIdentifiers: true,
})
