// Every method of java.sql.DatabaseMetaData, called through trino-jdbc: what it gives, and for
// results each column's name and type and the rows that are about the schema memory.jdbc_walk, which
// is made first and dropped at the end. One `name<TAB>value` line each; a name may come on several
// lines. tests/trino/test_jdbc_metadata.py holds them against what Trino gave.
//   java -cp trino-jdbc.jar JdbcMetadata.java HOST:PORT
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import java.util.Set;

public class JdbcMetadata {
  static final String SCHEMA = "jdbc_walk";
  static final List<String> MADE = List.of(
      "CREATE SCHEMA memory.jdbc_walk",
      "CREATE TABLE memory.jdbc_walk.every_type (a_boolean boolean, a_tinyint tinyint, "
          + "a_smallint smallint, an_integer integer COMMENT 'an integer', a_bigint bigint, "
          + "a_real real, a_double double, a_decimal decimal(10, 2), a_long_decimal decimal(38, 5), "
          + "a_varchar varchar, a_short_varchar varchar(20), a_char char(5), "
          + "a_varbinary varbinary, a_json json, a_date date, a_time time, a_time_0 time(0), "
          + "a_zoned_time time with time zone, a_timestamp timestamp, "
          + "a_timestamp_0 timestamp(0), a_timestamp_6 timestamp(6), a_timestamp_12 timestamp(12), "
          + "a_zoned_timestamp timestamp with time zone, "
          + "a_zoned_timestamp_9 timestamp(9) with time zone, "
          + "a_year interval year to month, a_day interval day to second, "
          + "an_array array(integer), a_map map(varchar, bigint), "
          + "a_row row(x integer, y varchar(3)), a_uuid uuid, an_address ipaddress)",
      "COMMENT ON TABLE memory.jdbc_walk.every_type IS 'of every type'",
      "CREATE TABLE memory.jdbc_walk.fine_time (a_time_12 time(12))",
      "CREATE TABLE memory.jdbc_walk.other_table (a integer)",
      "CREATE VIEW memory.jdbc_walk.a_view COMMENT 'a view' AS SELECT 1 AS one, 'x' AS \"two\"",
      // Wildcards of LIKE in names.
      "CREATE TABLE memory.jdbc_walk.otherxtable (b integer)");
  static final List<String> DROPPED = List.of(
      "DROP VIEW IF EXISTS memory.jdbc_walk.a_view",
      "DROP TABLE IF EXISTS memory.jdbc_walk.every_type",
      "DROP TABLE IF EXISTS memory.jdbc_walk.fine_time",
      "DROP TABLE IF EXISTS memory.jdbc_walk.other_table",
      "DROP TABLE IF EXISTS memory.jdbc_walk.otherxtable",
      "DROP SCHEMA IF EXISTS memory.jdbc_walk");
  /// What every method of a wrapper has, and what depends on where the server is.
  static final Set<String> LEFT_OUT = Set.of("unwrap", "isWrapperFor", "getConnection", "getURL");
  static final Set<String> CATALOGS = Set.of("memory", "system", "tpch");

  interface Call {
    Object run() throws Exception;
  }

  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    properties.setProperty("user", "tester");
    try (Connection connection =
        DriverManager.getConnection("jdbc:trino://" + arguments[0] + "/memory", properties)) {
      run(connection, DROPPED);
      run(connection, MADE);
      try {
        everyMethod(connection.getMetaData());
        narrowed(connection.getMetaData());
      } finally {
        run(connection, DROPPED);
      }
    }
  }

  /// What one statement is refused is shown, and the rest goes on.
  static void run(Connection connection, List<String> statements) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        try {
          statement.execute(sql);
        } catch (SQLException e) {
          print(sql, e.getMessage().replaceFirst("\\(#.*?\\)", "(#…)"));
        }
      }
    }
  }

  static void everyMethod(DatabaseMetaData data) {
    Method[] methods = DatabaseMetaData.class.getMethods();
    Arrays.sort(methods, Comparator.comparing(Method::getName)
        .thenComparing(m -> Arrays.toString(m.getParameterTypes())));
    for (Method method : methods) {
      if (LEFT_OUT.contains(method.getName())) continue;
      for (Object[] given : arguments(method)) {
        show(method.getName() + words(given), () -> method.invoke(data, given));
      }
    }
  }

  /// Strings are catalog, schema and patterns, in this order; numbers are tried one after another.
  static List<Object[]> arguments(Method method) {
    Class<?>[] types = method.getParameterTypes();
    List<Object[]> all = new ArrayList<>();
    boolean numbers = types.length > 0 && Arrays.stream(types).allMatch(t -> t == int.class);
    int rounds = numbers ? 6 : 1;
    for (int round = 0; round < rounds; round++) {
      Object[] given = new Object[types.length];
      for (int i = 0; i < types.length; i++) {
        if (types[i] == String.class) given[i] = i == 0 ? "memory" : i == 1 ? SCHEMA : "%";
        if (types[i] == boolean.class) given[i] = false;
        if (types[i] == int.class) given[i] = numbers ? number(method.getName(), round) : 0;
      }
      if (method.getName().equals("getSchemas") && given.length == 2) given[1] = "jdbc%";
      all.add(given);
    }
    return all;
  }

  static int number(String method, int round) {
    int[] of = method.contains("Transaction") ? new int[] {0, 1, 2, 4, 8, 16}
        : method.contains("Holdability") ? new int[] {1, 2, 0, 3, 4, 5}
        : method.equals("supportsConvert") ? new int[] {4, 12, 93, 2003, -5, 0}
        : new int[] {1003, 1004, 1005, 1007, 1008, 0};
    return of[round];
  }

  static void narrowed(DatabaseMetaData data) {
    show("tables only", () -> data.getTables("memory", SCHEMA, null, new String[] {"TABLE"}));
    show("views only", () -> data.getTables("memory", SCHEMA, "%", new String[] {"VIEW"}));
    show("tables of no type", () -> data.getTables("memory", SCHEMA, "%", new String[] {}));
    show("tables of another type",
        () -> data.getTables("memory", SCHEMA, "%", new String[] {"SYNONYM"}));
    show("tables of any catalog", () -> data.getTables(null, SCHEMA, "%", null));
    show("tables by pattern", () -> data.getTables("memory", SCHEMA, "other_table", null));
    show("tables by escaped pattern", () -> data.getTables("memory", SCHEMA, "other\\_table", null));
    show("tables of a catalog that is not there", () -> data.getTables("nosuch", null, "%", null));
    show("tables of no catalog", () -> data.getTables("", SCHEMA, "%", null));
    show("tables of no schema", () -> data.getTables("memory", "", "%", null));
    show("columns of any catalog", () -> data.getColumns(null, SCHEMA, "other_table", null));
    show("columns by pattern", () -> data.getColumns("memory", SCHEMA, "every\\_type", "a\\_t%"));
    show("columns of a schema pattern", () -> data.getColumns("memory", "jdbc_wal_", "a_view", "%"));
    show("columns of no table", () -> data.getColumns("memory", SCHEMA, "nosuch", "%"));
    show("schemas by pattern", () -> data.getSchemas("memory", "jdbc\\_walk"));
    show("schemas of any catalog", () -> data.getSchemas(null, SCHEMA));
    show("information schema",
        () -> data.getTables("memory", "information\\_schema", "%", null));
    show("columns of the information schema",
        () -> data.getColumns("memory", "information\\_schema", "%", "%"));
    show("tables of system", () -> data.getTables("system", "%", "%", null));
    show("columns of system", () -> data.getColumns("system", "%", "%", "%"));
    show("columns of tpch", () -> data.getColumns("tpch", "tiny", "%", "%"));
  }

  static String words(Object[] given) {
    StringBuilder text = new StringBuilder("(");
    for (Object each : given) text.append(text.length() > 1 ? ", " : "").append(each);
    return text.append(")").toString();
  }

  static void show(String name, Call call) {
    try {
      Object value = call.run();
      if (value instanceof ResultSet) {
        showResult(name, (ResultSet) value);
      } else {
        print(name, value);
      }
    } catch (Throwable e) {
      Throwable cause = e instanceof InvocationTargetException ? e.getCause() : e;
      print(name, cause.getClass().getSimpleName() + " " + cause.getMessage());
    }
  }

  static void showResult(String name, ResultSet result) throws SQLException {
    try (result) {
      ResultSetMetaData data = result.getMetaData();
      List<String> columns = new ArrayList<>();
      for (int i = 1; i <= data.getColumnCount(); i++) {
        columns.add(data.getColumnLabel(i) + " " + data.getColumnTypeName(i) + " "
            + data.getColumnType(i) + " " + data.getColumnClassName(i) + " " + data.getPrecision(i)
            + " " + data.getScale(i) + " " + data.isNullable(i) + " " + data.isSigned(i));
      }
      print(name + " columns", columns);
      boolean narrow = name.startsWith("getCatalogs") || name.startsWith("getSchemas()");
      while (result.next()) {
        List<Object> row = new ArrayList<>();
        for (int i = 1; i <= data.getColumnCount(); i++) row.add(result.getObject(i));
        // What else there is, is the server's own.
        if (narrow && !row.contains(SCHEMA) && !CATALOGS.contains(row.get(0))) continue;
        print(name + " row", row);
      }
    }
  }

  static void print(String name, Object value) {
    System.out.println(name + "\t" + String.valueOf(value).replace("\n", " "));
  }
}
