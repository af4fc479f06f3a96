#include "dashboards/dashboard_shape.h"

namespace meesh::dashboards {

using base::Shape;

namespace {

constexpr const char* kIdPattern = "^[a-z0-9_-]+$";
constexpr const char* kIdMeans = "a name of small letters, digits, _ and -";
constexpr const char* kNamePattern = "^[A-Za-z_][A-Za-z0-9_]*$";
constexpr const char* kNameMeans = "a name (letters, digits and _, beginning with a letter)";

Shape id(std::string doc) { return base::matching(std::move(doc), kIdPattern, kIdMeans, 100); }
Shape name(std::string doc) { return base::matching(std::move(doc), kNamePattern, kNameMeans); }

/// SQL and Markdown.
Shape long_text(std::string doc) {
  Shape shape = base::text(std::move(doc));
  shape.max_length = 100'000;
  return shape;
}

/// Text, or {en: …, fr: …}.
Shape words(std::string doc) { return base::any(std::move(doc)); }

Shape names(std::string doc) { return base::list(std::move(doc), base::text("A name.")); }

Shape dimension_of_query() {
  return base::any("A dimension's name, or { name, grain }: day, week, month, quarter, year.");
}

Shape filter() {
  return base::object(
      "A condition on a dimension.",
      {base::required("dimension", base::text("Its name.")),
       base::optional(
           "op",
           base::choice("How it is compared.", {"=", "!=", "<", "<=", ">", ">=", "in", "not in",
                                                "between", "like", "is null", "is not null"}),
           "="),
       base::optional("value", base::any("What with.")),
       base::optional("values", base::list("With what: in, not in, between.", base::any("One.")))});
}

Shape query() {
  return base::object(
      "Metrics of the semantic layer by its dimensions.",
      {base::required("model", id("A file of semantic/.")),
       base::required("metrics", names("What is computed.")),
       base::optional("dimensions", base::list("By what.", dimension_of_query())),
       base::optional("filters", base::list("All hold.", filter())),
       base::optional("order", names("Columns of the answer; -name is descending.")),
       base::optional("limit", base::integer("Rows at most.", 1, 1'000'000))});
}

Shape drill() {
  return base::object(
      "What a click on a mark opens.",
      {base::optional("dashboard", id("Another dashboard.")),
       base::optional("parameters", base::map("Its parameters: the column each value comes from.",
                                              kNamePattern, kNameMeans, base::text("A column."))),
       base::optional("by", names("Levels inside the chart, coarsest first: columns.")),
       base::optional("aggregate",
                      base::choice("How a level sums up the numbers of finer ones.",
                                   {"sum", "avg", "min", "max", "count"}),
                      "sum")});
}

Shape chart() {
  return base::object(
      "A chart.",
      {base::required("id", id("Its name on the dashboard.")),
       base::optional("title", words("Shown above it.")),
       base::optional("description", words("Shown on demand.")),
       base::required("kind", base::matching("What is drawn: line, bar, table …; see "
                                             "docs/charts.md.",
                                             kIdPattern, kIdMeans)),
       base::optional("sql", long_text("A query; :name is a parameter.")),
       base::optional("query", query()),
       base::optional("encode", base::any("Which column is what: x, y, series, size, value …")),
       base::optional("options", base::any("Settings of the kind.")),
       base::optional("drill", drill()),
       base::optional("filters_others", base::boolean("A click filters the other charts.")),
       base::optional("live", base::boolean("Follows changes of its tables."), "false"),
       base::optional("text", words("Of the kind text: Markdown."))});
}

Shape place() {
  return base::object(
      "Where a chart is.",
      {base::required("id", id("The chart.")), base::required("x", base::integer("Column.", 0, 11)),
       base::required("y", base::integer("Row.", 0, 100'000)),
       base::required("w", base::integer("Columns wide.", 1, 12)),
       base::required("h", base::integer("Rows high.", 1, 1000))});
}

Shape parameter() {
  return base::object(
      "A value that people choose; :name in SQL.",
      {base::required("name", name("Its name in SQL.")),
       base::optional("label", words("Shown beside it.")),
       base::optional(
           "kind", base::choice("What it holds.", {"text", "number", "date", "choice", "boolean"}),
           "text"),
       base::optional("multiple", base::boolean("Several values at once."), "false"),
       base::optional("sql", long_text("choice: a query of its options: the value, and what is "
                                       "shown for it.")),
       base::optional("options", base::list("choice: its options.",
                                            base::any("A value, or { value, label }."))),
       base::optional("default", base::any("Its value before anyone chooses."))});
}

Shape receivers() {
  return base::object(
      "Who is told.",
      {base::optional("webhook", base::text("Name of one of storage.webhooks in meesh.yaml.")),
       base::optional("email", names("Addresses.")),
       base::optional("bucket",
                      base::matching("reports: a folder of a bucket.", "^s3://[^/\\s]+(/\\S*)?$",
                                     "a place such as s3://reports/weekly", 1024))});
}

Shape alert() {
  return base::object(
      "Tells people when a number is not as it should be.",
      {base::required("name", id("Its name.")),
       base::optional("description", words("What to do then.")),
       base::optional("chart", id("A chart of this dashboard, whose query is asked.")),
       base::optional("sql", long_text("Or a query.")),
       base::optional("column",
                      base::text("Which column of the first row; else the first number.")),
       base::optional("above", base::any("Fires when the value is above.")),
       base::optional("below", base::any("Fires when the value is below.")),
       base::optional("change",
                      base::object("Fires when it has changed by so much.",
                                   {base::required("percent", base::any("-20: it fell by 20 % or "
                                                                        "more.")),
                                    base::optional("periods",
                                                   base::integer("Against the value so many "
                                                                 "evaluations ago.",
                                                                 1, 1000),
                                                   "1")})),
       base::optional("no_data", base::boolean("Fires when there is no row or no value."), "false"),
       base::optional("every", base::text("How often: 30s, 5m, 1h."), "5m"),
       base::optional("cron", base::text("Or when: five fields.")),
       base::optional("timezone", base::text("Of cron."), "UTC"),
       base::optional("repeat", base::text("Tells again after so long while it fires.")),
       base::optional("to", receivers())});
}

Shape report() {
  return base::object("The dashboard as a document, on a schedule.",
                      {base::required("name", id("Its name.")),
                       base::required("cron", base::text("When: five fields.")),
                       base::optional("timezone", base::text("Of cron."), "UTC"),
                       base::optional("format",
                                      base::choice("pdf and png need a browser on the server; "
                                                   "without one: html.",
                                                   {"pdf", "png", "html"}),
                                      "html"),
                       base::optional("language", base::choice("Of texts.", {"en", "fr"}), "en"),
                       base::required("to", receivers())});
}

Shape dimension() {
  return base::object(
      "What numbers can be broken down by.",
      {base::required("name", name("Its name.")), base::optional("title", words("Shown for it.")),
       base::optional("description", words("What it means.")),
       base::optional("sql", long_text("An expression over the model's columns; else the column of "
                                       "its name.")),
       base::optional("kind",
                      base::choice("What it holds.", {"text", "number", "date", "time", "boolean"}),
                      "text")});
}

Shape metric() {
  return base::object(
      "A number.",
      {base::required("name", name("Its name.")), base::optional("title", words("Shown for it.")),
       base::optional("description", words("What it means.")),
       base::optional("sql", long_text("An aggregate: sum(amount).")),
       base::optional("filter", long_text("Counts only rows of which this holds.")),
       base::optional("ratio", names("Two other metrics, the one divided by the other.")),
       base::optional("format", base::text("How it is shown: number, percent, currency …")),
       base::optional("unit", base::text("EUR"))});
}

Shape join() {
  return base::object(
      "Another model that each row has at most one row of.",
      {base::required("name", name("Its dimensions are <name>.<dimension>.")),
       base::required("model", id("A file of semantic/.")),
       base::required("on", base::map("This model's column: the other's.", kNamePattern, kNameMeans,
                                      base::text("A column.")))});
}

}  // namespace

const Shape& chart_shape() {
  static const Shape shape = chart();
  return shape;
}

const Shape& dashboard_shape() {
  static const Shape shape = base::object(
      "A dashboard.",
      {base::required("title", words("Its title: text, or { en: …, fr: … }.")),
       base::optional("description", words("Markdown.")),
       base::optional("owner", base::text("Who answers for it.")),
       base::optional("tags", names("To find it by.")),
       base::optional("refresh", base::text("Asks again by itself: 30s, 5m.")),
       base::optional("time",
                      base::object("The time that is looked at: :from and :to in SQL.",
                                   {base::optional("default", base::any("last 90 days, today, this "
                                                                        "month, all, or { from, to "
                                                                        "}."))})),
       base::optional("parameters", base::list("Values that people choose.", parameter())),
       base::required("charts", base::list("What is shown.", chart())),
       base::optional("layout", base::list("Where: 12 columns, rows of 60 pixels.", place())),
       base::optional("alerts", base::list("Numbers that are watched.", alert())),
       base::optional("reports", base::list("Documents on a schedule.", report()))});
  return shape;
}

const Shape& model_shape() {
  static const Shape shape = base::object(
      "A model of the semantic layer: what a table's rows mean.",
      {base::optional("title", words("Shown for it.")),
       base::optional("description", words("What a row is.")),
       base::optional("owner", base::text("Who answers for it.")),
       base::optional("table",
                      base::matching("catalog.schema.table", "^[^.\\s]+\\.[^.\\s]+\\.[^.\\s]+$",
                                     "a table such as lake.gold.orders", 255)),
       base::optional("sql", long_text("Or a query.")),
       base::required("dimensions", base::list("What numbers are broken down by.", dimension())),
       base::required("metrics", base::list("Numbers.", metric())),
       base::optional("joins", base::list("Models that this one looks up.", join()))});
  return shape;
}

}  // namespace meesh::dashboards
