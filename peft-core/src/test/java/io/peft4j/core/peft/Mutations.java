package io.peft4j.core.peft;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SplittableRandom;

/** Damages files in ways that a parser may stumble over; the same seed gives the same damage. */
final class Mutations {
    private static final List<String> VALUES = List.of("null", "true", "-1", "0", "1e308", "2147483647",
            "99999999999999999999", "0.5", "\"\"", "\"all-linear\"", "\"(a+)+$\"", "\"[\"", "\".*\"", "[]", "[null]",
            "[\"q_proj\", 3]", "[\"\"]", "{}", "{\"q_proj\": -1}", "{\"(\": 2}", "{\"q_proj\": 1000000000}",
            "\"\\u0000\"", "[[[[[[[[]]]]]]]]", "NaN", "\"gaussian\"", "\"all\"");

    private final SplittableRandom random;

    Mutations(long seed) {
        random = new SplittableRandom(seed);
    }

    /** A JSON text with a value exchanged, bytes changed, or a part lost or doubled. */
    byte[] json(byte[] original) {
        if (random.nextInt(3) > 0) {
            String[] lines = new String(original, StandardCharsets.UTF_8).split("\n");
            int line = random.nextInt(lines.length);
            int colon = lines[line].indexOf("\": ");
            if (colon > 0) {
                String comma = lines[line].endsWith(",") ? "," : "";
                lines[line] = lines[line].substring(0, colon + 3) + VALUES.get(random.nextInt(VALUES.size())) + comma;
            }
            return String.join("\n", lines).getBytes(StandardCharsets.UTF_8);
        }
        return bytes(original, original.length);
    }

    /** A safetensors file with its head damaged, or cut. */
    byte[] safetensors(byte[] original) {
        int head = 8 + (original[0] & 0xff) + ((original[1] & 0xff) << 8) + ((original[2] & 0xff) << 16);
        return bytes(original, random.nextInt(4) == 0 ? original.length : head);
    }

    private byte[] bytes(byte[] original, int within) {
        byte[] changed = original.clone();
        switch (random.nextInt(4)) {
            case 0 -> {
                for (int i = random.nextInt(1, 4); i > 0; i--) {
                    changed[random.nextInt(within)] = (byte) random.nextInt(256);
                }
            }
            case 1 -> {
                int at = random.nextInt(within);
                changed[at] = (byte) (changed[at] ^ 1 << random.nextInt(8));
            }
            case 2 -> changed = java.util.Arrays.copyOf(original, random.nextInt(original.length));
            default -> {
                int from = random.nextInt(within);
                int length = random.nextInt(Math.min(40, within - from) + 1);
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                out.write(original, 0, from + length);
                out.write(original, from, original.length - from);
                changed = out.toByteArray();
            }
        }
        return changed;
    }
}
