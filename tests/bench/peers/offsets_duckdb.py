"""The same as tw-offsets, in DuckDB: offsets_duckdb.py INPUT OUTPUT."""

import sys

import duckdb

source, output = sys.argv[1:]
duckdb.sql(
    f"""
    COPY (
        SELECT *,
            "offset" + start_time_ms AS addition_ms,
            min("offset" + start_time_ms) OVER room AS reference_ms,
            "offset" + start_time_ms - min("offset" + start_time_ms) OVER room AS relative_offset_ms
        FROM read_json('{source}', format = 'newline_delimited')
        WINDOW room AS (PARTITION BY grouping_sids.room_sid)
    ) TO '{output}' (FORMAT json)
    """
)
