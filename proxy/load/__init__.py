"""LOAD DATA LOCAL INFILE: the rows of a client's file, checked, into a table.

It reads no file of the server's, and keeps of the client's no more than a portion in memory.
"""
