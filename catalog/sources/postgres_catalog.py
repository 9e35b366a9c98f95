"""What PostgreSQL's own catalog is asked: tables, columns, indexes.

It only writes queries; who asks puts a condition in the place of {where}.
"""

USERS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

TABLES = f"""
SELECT n.nspname::text, c.relname::text,
 CASE WHEN c.relkind IN ('v', 'm') THEN 'VIEW' ELSE 'BASE TABLE' END AS type,
 greatest(c.reltuples, 0)::bigint AS number
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {USERS}
ORDER BY 1, 2
"""

# A domain counts as the type that it is made of, a domain of a domain too. Nothing here recurs:
# PostgreSQL would think it dear, and compile the query for longer than it runs.
COLUMNS = """
SELECT n.nspname::text, c.relname::text, a.attname::text,
 CASE t.typtype
 WHEN 'e' THEN 'enum(' || (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY
 e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid) || ')'
 WHEN 'c' THEN 'record(' || pg_catalog.format_type(t.oid, NULL) || ')'
 ELSE pg_catalog.format_type(t.oid,
 CASE t.oid WHEN o.oid THEN a.atttypmod WHEN p.oid THEN o.typtypmod ELSE p.typtypmod END)
 END AS type,
 CASE WHEN a.attnotnull THEN 0 ELSE 1 END AS nullable,
 coalesce((
 SELECT CASE WHEN bool_or(i.indisprimary) THEN 'PRI'
 WHEN bool_or(i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL) THEN 'UNI'
 ELSE 'MUL' END
 FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisvalid
 AND (i.indkey[0] = a.attnum
 OR i.indisprimary AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
 HAVING count(*) > 0), '') AS key,
 CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS ini,
 CASE WHEN a.attgenerated <> '' THEN 'STORED GENERATED'
 WHEN a.attidentity <> '' OR pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%'
 THEN 'auto_increment' ELSE '' END AS extra
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type o ON o.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type p ON o.typtype = 'd' AND p.oid = o.typbasetype
LEFT JOIN pg_catalog.pg_type q ON p.typtype = 'd' AND q.oid = p.typbasetype
JOIN pg_catalog.pg_type t ON t.oid = coalesce(q.oid, p.oid, o.oid)
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE {where} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY 1, 2, a.attnum
"""

INDEXES = """
SELECT n.nspname::text, c.relname::text,
 CASE WHEN i.indisprimary THEN 'PRIMARY' ELSE x.relname::text END AS name,
 CASE WHEN i.indisunique THEN 0 ELSE 1 END AS repeats, k.number,
 coalesce(a.attname::text, pg_catalog.pg_get_indexdef(i.indexrelid, k.number, true)) AS part,
 CASE WHEN a.attnotnull THEN 0 ELSE 1 END AS nullable, upper(m.amname::text) AS type
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = x.relam
CROSS JOIN LATERAL generate_series(1, i.indnkeyatts::int) k(number)
LEFT JOIN pg_catalog.pg_attribute a
 ON a.attrelid = c.oid AND a.attnum = i.indkey[k.number - 1] AND a.attnum <> 0
WHERE {where} AND i.indisvalid
ORDER BY 1, 2, i.indisprimary DESC, i.indisunique DESC, x.relname, k.number
"""
