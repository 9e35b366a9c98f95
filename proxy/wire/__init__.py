"""The room of packets: everything a MySQL client sees of us, byte by byte."""
