package io.peft4j.models.architecture;

/**
 * Where a family's rotary positions stand in {@code config.json}, and what holds where a configuration does not say.
 *
 * @param baseKey the key with the base of the frequencies; empty where the family has no rotary positions
 * @param base the base of the frequencies
 * @param shareKey the key with the part of each head that is rotated; empty where all of it is
 * @param share the part of each head that is rotated
 * @param localBaseKey the key with the base in layers with a window; empty for a single one for all
 * @param localBase the base in layers with a window
 */
public record GgufRotaryForm(String baseKey, double base, String shareKey, double share, String localBaseKey,
        double localBase) {
    /** No rotary positions. */
    static final GgufRotaryForm NONE = new GgufRotaryForm("", 0, "", 1, "", 0);

    GgufRotaryForm withBase(String key, double fallback) {
        return new GgufRotaryForm(key, fallback, shareKey, share, localBaseKey, localBase);
    }

    GgufRotaryForm withShare(String key, double fallback) {
        return new GgufRotaryForm(baseKey, base, key, fallback, localBaseKey, localBase);
    }

    GgufRotaryForm withLocalBase(String key, double fallback) {
        return new GgufRotaryForm(baseKey, base, shareKey, share, key, fallback);
    }

    /** Whether the family has rotary positions. */
    public boolean exists() {
        return !baseKey.isEmpty();
    }

    /** Whether only a part of each head may be rotated. */
    public boolean isPartial() {
        return !shareKey.isEmpty();
    }

    /** Whether layers with a window have frequencies of their own. */
    public boolean hasLocal() {
        return !localBaseKey.isEmpty();
    }
}
