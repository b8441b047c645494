package io.peft4j.feedback;

import java.util.Locale;

/** A user's opinion of an answer. */
public enum Rating {
    /** It is right; it may be learned. */
    GOOD,
    /** It is wrong; it is not learned. */
    BAD;

    /** @throws IllegalArgumentException for another word */
    static Rating of(String key) {
        return valueOf(key.toUpperCase(Locale.ROOT));
    }

    String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
