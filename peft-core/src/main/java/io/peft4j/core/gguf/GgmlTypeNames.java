package io.peft4j.core.gguf;

/** The names of ggml's types, for messages about those that cannot be read. */
final class GgmlTypeNames {
    /** By number; empty where a number is no longer in use. */
    private static final String[] NAMES = {
        "F32", "F16", "Q4_0", "Q4_1", "", "", "Q5_0", "Q5_1", "Q8_0", "Q8_1",
        "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S",
        "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M",
        "BF16", "", "", "", "TQ1_0", "TQ2_0", "", "", "", "MXFP4",
    };

    private GgmlTypeNames() {
    }

    static String of(long id) {
        return id >= 0 && id < NAMES.length && !NAMES[(int) id].isEmpty() ? NAMES[(int) id] : "number " + id;
    }
}
