package io.peft4j.models.tokenizer.internal;

/** The regular expressions that {@link PreTokenizer} cuts text with; {@code %s} stands for a part that differs. */
final class WordPatterns {
    /** One digit, in any script. */
    static final String DIGIT = "\\p{N}";
    /** Up to three digits. */
    static final String DIGITS_3 = "\\p{N}{1,3}";
    /** English endings after an apostrophe. */
    static final String ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";

    private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
    private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
    private static final String LEAD = "[^\\r\\n\\p{L}\\p{N}]?";
    private static final String SPACES = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    /** Words with the sign before them; the part is the digits. */
    static final String WORDS = ENDINGS + "|" + LEAD + "\\p{L}+|%s| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" + SPACES;
    /**
     * Words that end where upper case begins; the parts are what may follow each of their two forms, and the digits.
     */
    static final String CASED = LEAD + UPPER + "*" + LOWER + "+%s|" + LEAD + UPPER + "+" + LOWER
            + "*%s|%s| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" + SPACES;

    /** As {@link #WORDS}, with marks as parts of words. */
    static final String MARKED = ENDINGS + "|" + LEAD + "[\\p{L}\\p{M}]+|%s| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*"
            + SPACES;
    /** Words, where a sign may stand before Latin letters. */
    static final String SIGNED = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
            + "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*" + SPACES;
    /** Chinese and Japanese signs. */
    static final String KANJI_AND_KANA = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+";
    /** Chinese, Korean, and what lies between Arabic and Chinese. */
    static final String CJK = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+";

    private WordPatterns() {
    }
}
