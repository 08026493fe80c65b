"""What learning platforms do with a table of grades, by the rules of their own importers."""

import csv

MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\n"
)


def moodle_takes(text, known, maximum):
    """What Moodle's importer does with a worksheet: grades by number, or what it refuses.

    Its rules (mod/assign/feedback/offline): three columns by their names; the number is what
    follows the word Participant; a grade that is empty, below 0 or above the maximum is skipped.
    """
    lines = list(csv.reader(text.splitlines()))
    places = [lines[0].index(name) for name in ("Identifier", "Grade", "Last modified (grade)")]
    taken = {}
    for line in lines[1:]:
        number, given, _ = (line[place] for place in places)
        number = number[len("Participant") :].strip()
        if number in known and given != "" and 0 <= float(given) <= maximum:
            taken[number] = float(given)
    return taken


def canvas_takes(text, known):
    """What Canvas' importer does with a gradebook: grades by the user's number.

    Its rules (lib/gradebook_importer.rb): the first column is Student, then come the ids and the
    section; a line of Points Possible is no student; an empty cell leaves the grade as it is.
    """
    header, *lines = csv.reader(text.splitlines())
    assert header[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    taken = {}
    for name, number, *_, given in (line for line in lines if len(line) == len(header)):
        if "Points Possible" not in name and number in known and given.strip():
            taken[number] = float(given)
    return taken
