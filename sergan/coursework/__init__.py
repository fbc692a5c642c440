"""Assignments: variants for each course, and marks that a student's own process cannot forge.

    questions    what an assignment, a question and a known mistake are; variants from a course's secret seed
    student      runs inside the fence: executes a student's cells, then calls functions on request
    fence        starts `student` without network, without other files, with limits on time, memory, processes
    marking      asks the fenced process for values, compares them with its own, and gives points
    assignments  the six, one module each
    notebooks    their source notebooks, in a course's variant

    course       a course's folder, as nbgrader knows it
    release      writes what is handed out, and what is not
    submissions  whose each file of a download is
    rebuilding   a submission made anew, with nothing of the student's but the answers
    grading      marks of a whole class, and what becomes of them
    reporting    pages for students, tables for Moodle and Canvas, how each question did

The hidden inputs come from the course's seed and cross into the student's process one call at a time; expected
answers never do.
"""
