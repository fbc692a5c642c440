"""What the evidence is now, in Korean: the words of `sergan.evidence` for the translated landing page."""

from sergan import plan
from sergan.evaluation import BOUND
from sergan.evidence import CONTRASTS, CORPORA, counts, outcome

TITLES = {
    "fused": "레이블을 “fused”로 읽은 BAGM − BAM",
    "zero": "레이블을 “zero”로 읽은 BAGM − BAM",
    "placebo": "플라시보(비어 있는 두 번째 스텝) − BAM",
    "tuned": "각각 조정한 학습률에서 BAGM “fused” − BAM",
}
SPLITS = {"speaker": "처음 듣는 화자", "paper": "무작위 분할"}
IN_WORDS = {
    "gain": "정답이 더 많습니다: {}",
    "loss": "정답이 더 적습니다: {}",
    "same": f"{BOUND}%p만 한 차이는 없습니다: {{}}",
    "open": "어느 쪽이라고 말할 수 없습니다: {}",
    "single": "양쪽에 실행이 하나씩뿐이라 구간이 없습니다: {}",
    "missing": "아직 실행하지 않았습니다",
}


def points(values):
    """A difference and its interval: `−3.1%p [−9.0, +2.8]`."""
    mean, low, high = values
    ends = "" if low is None else f" [{low:+.1f}, {high:+.1f}]"
    return f"{mean:+.1f}%p{ends}".replace("-", "−")


def said(row):
    return IN_WORDS[outcome(row)].format("" if row["wa"] is None else f"WA {points(row['wa'])}")


def sentence(found):
    """In plain words, what the evidence is now."""
    main, short, kinds, inside = counts(found)
    text = (
        f"**지금까지의 증거.** 실행하기 전에 비교할 것을 미리 밝혀 둔 말뭉치 {CORPORA[plan.CORPUS]}에서, "
        "학습 때 한 번도 듣지 못한 화자에 대한 결과는 이렇습니다. "
        f"GAN을 쓰고 레이블을 `fused`로 읽으면 {said(main['fused'])}. "
        f"같은 비교를 양쪽의 학습률을 각각 조정해서 하면 {said(main['tuned'])}. "
        f"GAN 대신 비어 있는 두 번째 스텝을 넣으면 {said(main['placebo'])}. "
    )
    text += "" if short else "계획한 실행이 아직 다 끝나지는 않았습니다. "
    text += (
        f"그림에 있는 차이 {len(found)}개 가운데 {len(kinds)}개에 구간이 있는데, "
        f"{kinds.count('gain')}개는 0보다 위에, {kinds.count('loss')}개는 0보다 아래에 있고, "
        f"{inside}개는 논문의 +{BOUND}을 품고 있습니다. "
    )
    return text + "이 가운데 논문의 말뭉치나 논문의 크기로 잰 것은 하나도 없습니다(9장과 11장)."


def caption(found):
    """What stands behind the figure: preset, seeds, records."""
    seeds = sorted({seed for row in found for seed in row["seeds"]})
    used = set().union(*(row["used"] for row in found))
    each = f"시드 1~{len(seeds)}개" if len(seeds) > 1 else "시드 1개" if seeds else "아직 시드 없음"
    most = max((row["pairs"] for row in found), default=0)
    return (
        f"논문이 보고한 WA 향상과 우리의 결과: 프리셋 `{plan.PRESET}`, {each}, 기록(record) {len(used)}개, "
        f"표시 하나에 실행 쌍 최대 {most}개, WA는 마지막 에포크의 값. "
        "막대는 화자 폴드 또는 무작위 분할에 걸친 95 % 구간이고, "
        "속이 빈 표시는 양쪽에 실행이 하나씩이라 구간이 없습니다. "
        "회색: 0의 양쪽으로 논문의 향상만큼. 이 페이지를 만들 때마다 기록에서 새로 그립니다."
    )


def alt(found):
    """The figure in words, its values included."""
    parts = []
    for name in CONTRASTS:
        each = [f"{CORPORA[r['corpus']]}, {SPLITS[r['split']]} {points(r['wa'])}" for r in found
                if r["contrast"] == name and r["wa"] is not None]  # fmt: skip
        parts.append(f"{TITLES[name]}: {'; '.join(each) or '아직 실행하지 않았습니다'}.")
    return (f"GAN을 쓰는 인식기와 쓰지 않는 인식기의 WA 차이. 논문: +{BOUND}%p, 구간 없음. "
            f"우리 결과: {' '.join(parts)}")  # fmt: skip
