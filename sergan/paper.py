"""The figures that Ko and Kim (2019) report, as data: what `sergan report` and the chapters lay beside ours.

Y.-J. Ko and Y.-J. Kim, "Performance improvement of speech emotion recognition model using generative adversarial
networks", doi:10.14801/jkiit.2019.17.11.77,
Journal of KIIT 17(11):77-85, 2019 (in Korean).
"""

#: Table 1: utterances of IEMOCAP per class, split 7:3 inside each class.
TABLE_1 = {
    "train": {"angry": 772, "neutral": 1195, "happy": 416, "sad": 758},
    "test": {"angry": 331, "neutral": 513, "happy": 179, "sad": 326},
}

#: Table 3: weighted and unweighted accuracy in percent, means of 5 runs; no spread is given.
TABLE_3 = {
    "AM": {"wa": 57.96, "ua": 50.23},
    "AGM": {"wa": 58.71, "ua": 53.52},
    "BAM": {"wa": 59.59, "ua": 54.01},
    "BAGM": {"wa": 61.45, "ua": 55.19},
}

#: Table 4: confusion of BAGM in percent of each true class. The paper's order: angry, happy, neutral, sad.
TABLE_4_CLASSES = ("angry", "happy", "neutral", "sad")
TABLE_4 = (
    (66.77, 1.81, 24.17, 7.25),
    (15.08, 22.35, 41.90, 20.67),
    (10.14, 4.87, 64.72, 20.27),
    (4.60, 1.23, 27.30, 66.87),
)

#: Always "neutral", the largest class, on Table 1's test part.
MAJORITY = {"wa": 100 * TABLE_1["test"]["neutral"] / sum(TABLE_1["test"].values()), "ua": 25.0}
