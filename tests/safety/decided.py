"""Why each of DuckDB's functions that a client cannot call is none of his. What he can call stands
in proxy/sql/allowed.py; a function that is in neither fails test_catalogue.py until it is decided.
"""

REFUSED: dict[str, str] = {
    "reads, lists or writes files": r"(read|sniff)_.*|parquet_.*|glob|.*_scan(_.*)?|"
    r"add_parquet_key|copy_database|import_database",
    "reaches other servers and their files": r"(postgres|mysql|sqlite|pg|duckdb)_.*",
    "runs a text as SQL, or makes SQL of a plan": r"query|query_table|json_(de)?serialize_.*|"
    r"json_execute_serialized_sql",
    "tells the server's settings, secrets and variables": r"current_setting|getvariable|"
    r"which_secret|pragma_.*|current_(catalog|database|schemas?|query|role|user)|session_user|user|version|"
    r"user_agent|platform|in_search_path|get_block_size|inet_.*",
    "tells of transactions": r"current_(query|connection|transaction)_id|txid_current",
    "describes a catalogue that is not MySQL's": r"has_.*_privilege|(col|obj|shobj)_description|"
    r"format_(pg_)?type|map_to_pg_oid|icu_calendar_names|test_.*|summary|show.*|table_info|"
    r"collations|database_(list|size)|functions|extension_versions|metadata_info|storage_info",
    "changes how the instance works": r"(enable|disable|verify)_.*|all_profiling_output|checkpoint|"
    r"force_checkpoint|truncate_duckdb_logs",
    "writes the log, or reads it": r"write_log|parse_duckdb_log_message",
    "waits, and holds a thread": r"sleep_ms|pg_sleep",
    "counts for nobody: there are no sequences": r"nextval|currval",
    "calls a function by its name in a string": r"(list|array)_aggr(egate)?|aggregate",
    "makes as much as its arguments say, beside memory_limit": r"(list|array)_resize|bitstring|"
    r"printf|reservoir_quantile",
    "is DuckDB's own: it trusts its arguments": r"__internal_.*|combine|finalize|create_sort_key|"
    r"constant_or_null|remap_struct|switch|stats|vector_type|timetz_byte_comparable|"
    r"is_histogram_other_bin|variant_(bytes_to_variant|normalize|to_parquet_variant)",
    "is about types, which are no values of MySQL's": r"can_cast_implicitly|cast_to_type|get_type|"
    r"make_type|replace_type",
    "is a collation's, which COLLATE of MySQL's does not name": r"icu_(collate_.*|sort_key)",
    "is about shapes, which no column holds": r"st_.*",
    "is a table function": r"histogram_values|json_each|json_tree|python_map_function|repeat_row|"
    r"histogram_exact_values",
}
"""Reasons, each with a pattern of names in lower case."""

_SIGNS = """
    !__postfix !~~ !~~* % & && * ** + - ->> / // <-> << <=> <@ >> @ @> ^ ^@ | || ~ ~~ ~~* ~~~
"""
SIGNS = frozenset(_SIGNS.split())
"""Operators are functions to DuckDB; each computes a value of its operands."""
