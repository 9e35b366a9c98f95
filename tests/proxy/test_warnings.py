from proxy.warnings import MAX_SHOWN, Warning_, Warnings


def test_warnings_are_shown_in_their_order() -> None:
    warnings = Warnings()
    warnings.add("Note", 1, "a")
    warnings.add("Warning", 2, "b")
    assert warnings.shown() == [Warning_("Note", 1, "a"), Warning_("Warning", 2, "b")]


def test_equal_warnings_are_one_line_that_counts() -> None:
    warnings = Warnings()
    for _ in range(3):
        warnings.add("Warning", 1430, "failed")
    assert warnings.shown() == [Warning_("Warning", 1430, "failed (3 times)")]


def test_all_warnings_count() -> None:
    warnings = Warnings()
    for number in range(MAX_SHOWN + 10):
        warnings.add("Warning", 1, str(number))
    assert warnings.total == MAX_SHOWN + 10


def test_only_so_many_are_kept() -> None:
    warnings = Warnings()
    for number in range(MAX_SHOWN + 10):
        warnings.add("Warning", 1, str(number))
    assert len(warnings.shown()) == MAX_SHOWN


def test_one_that_is_kept_counts_on_when_the_list_is_full() -> None:
    warnings = Warnings()
    for number in (*range(MAX_SHOWN + 10), 0):
        warnings.add("Warning", 1, str(number))
    assert warnings.shown()[0].message == "0 (2 times)"


def test_a_new_statement_has_none() -> None:
    warnings = Warnings()
    warnings.add("Warning", 1, "a")
    warnings.clear()
    assert (warnings.shown(), warnings.total) == ([], 0)
