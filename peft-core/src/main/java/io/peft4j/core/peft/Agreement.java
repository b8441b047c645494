package io.peft4j.core.peft;

import java.util.Collection;
import java.util.Locale;

/** Whether something holds for all of several parts: Hugging Face PEFT's {@code True}, {@code False}, "irregular". */
public enum Agreement {
    /** For all. */
    TRUE,
    /** For none. */
    FALSE,
    /** For some and not for others. */
    IRREGULAR;

    /** What the answers have in common; true where there are none, as in Hugging Face PEFT. */
    public static Agreement of(Collection<Boolean> answers) {
        return !answers.contains(false) ? TRUE : !answers.contains(true) ? FALSE : IRREGULAR;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
