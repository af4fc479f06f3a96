// What trino-jdbc gets from a server, one `name<TAB>value` line each; tests/trino/test_jdbc.py
// judges them.   java -cp trino-jdbc.jar JdbcProbe.java HOST:PORT SOURCE
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

public class JdbcProbe {
  static String source;

  interface Probe {
    Object run() throws Exception;
  }

  static void show(String name, Probe probe) {
    String value;
    try {
      value = String.valueOf(probe.run());
    } catch (SQLException e) {
      value = "SQLException " + e.getErrorCode() + " " + e.getSQLState() + " " + e.getMessage();
    } catch (Exception e) {
      value = e.toString();
    }
    System.out.println(name + "\t" + value.replace("\n", " "));
  }

  static List<List<Object>> rows(ResultSet result, String... columns) throws SQLException {
    List<List<Object>> all = new ArrayList<>();
    while (result.next()) {
      List<Object> row = new ArrayList<>();
      for (String column : columns) row.add(result.getObject(column));
      all.add(row);
    }
    return all;
  }

  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    properties.setProperty("user", "tester");
    source = arguments[1];
    properties.setProperty("source", source);
    try (Connection connection =
        DriverManager.getConnection("jdbc:trino://" + arguments[0] + "/sales/public", properties)) {
      metadata(connection.getMetaData());
      statements(connection);
      preparedStatements(connection);
      transactions(connection);
      cancel(connection);
    }
  }

  static void metadata(DatabaseMetaData data) {
    show("product", () -> data.getDatabaseProductName() + " " + data.getDatabaseMajorVersion());
    show("catalogs", () -> rows(data.getCatalogs(), "TABLE_CAT"));
    show("schemas", () -> rows(data.getSchemas("sales", "p%"), "TABLE_SCHEM", "TABLE_CATALOG"));
    show("tables", () -> rows(data.getTables("sales", "public", "%", new String[] {"TABLE"}),
        "TABLE_NAME", "TABLE_TYPE"));
    show("columns", () -> rows(data.getColumns("sales", "public", "customers", "c%"),
        "COLUMN_NAME", "DATA_TYPE", "TYPE_NAME", "COLUMN_SIZE", "ORDINAL_POSITION", "IS_NULLABLE"));
    show("decimal column", () -> rows(data.getColumns("sales", "public", "orders", "total\\_amount"),
        "TYPE_NAME", "COLUMN_SIZE", "DECIMAL_DIGITS"));
    show("table types", () -> rows(data.getTableTypes(), "TABLE_TYPE"));
    show("types", () -> {
      List<List<Object>> types = rows(data.getTypeInfo(), "TYPE_NAME");
      return types.contains(List.of((Object) "bigint")) && types.contains(List.of((Object) "varchar"));
    });
    show("primary keys", () -> rows(data.getPrimaryKeys("sales", "public", "orders"), "COLUMN_NAME"));
    show("procedures", () -> rows(data.getProcedures("sales", "public", "%"), "PROCEDURE_NAME"));
    show("user types", () -> rows(data.getUDTs("sales", "public", "%", null), "TYPE_NAME"));
    show("super tables", () -> rows(data.getSuperTables("sales", "public", "%"), "TABLE_NAME"));
  }

  static void statements(Connection connection) {
    show("values", () -> {
      try (Statement statement = connection.createStatement();
          ResultSet result = statement.executeQuery(
              "SELECT 7 / 2, BIGINT '9000000000', 1.50, 1e0, REAL '1.5', true, 'é', x'4142',"
                  + " DATE '2024-02-29', TIMESTAMP '2024-01-31 01:02:03.123456',"
                  + " TIME '01:02:03', ARRAY[1, 2], NULL")) {
        result.next();
        List<Object> values = new ArrayList<>();
        for (int i = 1; i <= 7; i++) values.add(result.getObject(i));
        values.add(result.getBytes(8).length);
        for (int i = 9; i <= 11; i++) values.add(result.getObject(i));
        values.add(List.of((Object[]) result.getArray(12).getArray()));
        values.add(result.getObject(13));
        return values;
      }
    });
    show("zoned", () -> {
      try (Statement statement = connection.createStatement();
          ResultSet result = statement.executeQuery(
              "SELECT TIMESTAMP '2024-07-31 01:02:03.123 Europe/Paris'")) {
        result.next();
        return result.getObject(1, java.time.ZonedDateTime.class);
      }
    });
    show("result metadata", () -> {
      try (Statement statement = connection.createStatement();
          ResultSet result = statement.executeQuery("SELECT * FROM orders LIMIT 0")) {
        ResultSetMetaData data = result.getMetaData();
        return data.getColumnName(1) + " " + data.getColumnTypeName(1) + " " + data.getColumnType(1)
            + " " + data.getColumnClassName(1);
      }
    });
    show("update count", () -> {
      try (Statement statement = connection.createStatement()) {
        statement.execute("CREATE TABLE memory.default.jdbc_probe (a integer)");
        try {
          return statement.executeUpdate("INSERT INTO memory.default.jdbc_probe VALUES 1, 2, 3");
        } finally {
          statement.execute("DROP TABLE memory.default.jdbc_probe");
        }
      }
    });
    show("max rows", () -> {
      try (Statement statement = connection.createStatement()) {
        statement.setMaxRows(5);
        return rows(statement.executeQuery("SELECT orderkey FROM tpch.tiny.orders"), "orderkey").size();
      }
    });
    show("mistake", () -> {
      try (Statement statement = connection.createStatement()) {
        return statement.executeQuery("SELECT nosuch FROM customers");
      }
    });
  }

  static void preparedStatements(Connection connection) {
    show("prepared", () -> {
      try (PreparedStatement statement = connection.prepareStatement("SELECT ?, ?, ?, ?, ?, ?")) {
        statement.setInt(1, 41);
        statement.setString(2, "it's");
        statement.setBigDecimal(3, new java.math.BigDecimal("10.50"));
        statement.setDate(4, java.sql.Date.valueOf("2024-02-29"));
        statement.setTimestamp(5, java.sql.Timestamp.valueOf("2024-01-31 01:02:03.5"));
        statement.setNull(6, java.sql.Types.VARCHAR);
        try (ResultSet result = statement.executeQuery()) {
          result.next();
          List<Object> values = new ArrayList<>();
          for (int i = 1; i <= 6; i++) values.add(result.getObject(i));
          return values;
        }
      }
    });
    show("prepared metadata", () -> {
      try (PreparedStatement statement = connection.prepareStatement(
          "SELECT customer_name FROM customers WHERE customer_id = ?")) {
        return statement.getMetaData().getColumnTypeName(1) + " "
            + statement.getParameterMetaData().getParameterTypeName(1);
      }
    });
  }

  static void transactions(Connection connection) {
    show("transaction", () -> {
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        int count = rows(statement.executeQuery("SELECT regionkey FROM tpch.tiny.region"),
            "regionkey").size();
        connection.commit();
        return count;
      } finally {
        connection.setAutoCommit(true);
      }
    });
  }

  static void cancel(Connection connection) {
    show("cancel", () -> {
      try (Statement statement = connection.createStatement()) {
        Thread thread = new Thread(() -> {
          try {
            // The driver knows the query once its first answer is in.
            while (!running(connection)) Thread.sleep(50);
            statement.cancel();
          } catch (Exception e) {
            e.printStackTrace();
          }
        });
        thread.start();
        try {
          return statement.executeQuery(System.getenv("ENDLESS")).next();
        } finally {
          thread.join();
        }
      }
    });
  }

  static boolean running(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(
            "SELECT count(*) FROM system.runtime.queries WHERE state = 'RUNNING' AND source = '"
                + source + "' AND query LIKE '%CROSS JOIN%'"
                + " AND query NOT LIKE '%runtime%'")) {
      result.next();
      return result.getLong(1) > 0;
    }
  }
}
