package io.peft4j.eval.comparison.internal;

import io.peft4j.eval.comparison.Verdict;
import io.peft4j.report.support.Tone;

/** How a page shows a verdict. */
public final class VerdictTone {
    private VerdictTone() {
    }

    /** Good news, bad news, or an open question. */
    public static Tone of(Verdict verdict) {
        return switch (verdict.decision()) {
            case SHIP -> Tone.GOOD;
            case DO_NOT_SHIP -> Tone.BAD;
            case PROMPT_INSTEAD -> Tone.PLAIN;
            case NOT_FINISHED, HARM_NOT_KNOWN, NEED_MORE_ITEMS -> Tone.OPEN;
        };
    }
}
