"""Models called as functions: `PREDICT(m, r.body)` and `m(r.body)` in any expression.

A call becomes a model beside the tables of its SELECT; who is asked, and when, is planned as for
any other model.
"""
