import java.sql.*;

/** Prints what JDBC says of a query's columns: of its rows, of the prepared statement, and of the table. */
class Columns {
    public static void main(String[] given) throws SQLException {
        String url = given[0], user = given[1], password = given[2], query = given[3], table = given[4];
        try (Connection connection = DriverManager.getConnection(url, user, password)) {
            try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(query)) {
                print("text", rows.getMetaData());
                values("text", rows);
            }
            try (PreparedStatement prepared = connection.prepareStatement(query)) {
                print("prepared", prepared.getMetaData());
                try (ResultSet rows = prepared.executeQuery()) {
                    print("binary", rows.getMetaData());
                    values("binary", rows);
                }
            }
            try (ResultSet columns = connection.getMetaData().getColumns(connection.getCatalog(), null, table, "%")) {
                while (columns.next()) {
                    line("table", columns.getString("COLUMN_NAME"), columns.getString("TYPE_NAME"),
                        columns.getInt("DATA_TYPE"), columns.getInt("COLUMN_SIZE"), columns.getInt("DECIMAL_DIGITS"));
                }
            }
        }
    }

    static void print(String kind, ResultSetMetaData columns) throws SQLException {
        for (int n = 1; n <= columns.getColumnCount(); n++) {
            line(kind, columns.getColumnLabel(n), columns.getColumnTypeName(n), columns.getColumnType(n),
                columns.getPrecision(n), columns.getScale(n));
        }
    }

    static void values(String kind, ResultSet rows) throws SQLException {
        while (rows.next()) {
            for (int n = 1; n <= rows.getMetaData().getColumnCount(); n++) {
                Object value = rows.getObject(n);
                line(kind + " value", rows.getMetaData().getColumnLabel(n), value, value == null ? "null" : value.getClass().getSimpleName());
            }
        }
    }

    static void line(Object... cells) {
        StringBuilder text = new StringBuilder();
        for (Object cell : cells) {
            text.append(text.length() == 0 ? "" : "\t").append(cell);
        }
        System.out.println(text);
    }
}
