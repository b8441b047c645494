package io.peft4j.serve.store;

import java.security.SecureRandom;
import java.util.regex.Pattern;

/** Names of things: a prefix and letters that cannot be guessed. */
public final class Ids {
    private static final String LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final Pattern VALID = Pattern.compile("[A-Za-z0-9_-]{1,64}");
    private static final int LENGTH = 24;

    private Ids() {
    }

    /** A new one, for instance {@code file-4JfK...}. */
    public static String next(String prefix) {
        return prefix + letters(LENGTH);
    }

    /** So many random letters and digits. */
    public static String letters(int count) {
        StringBuilder text = new StringBuilder(count);
        for (int i = 0; i < count; i++) {
            text.append(LETTERS.charAt(RANDOM.nextInt(LETTERS.length())));
        }
        return text.toString();
    }

    /** Whether a text from outside could be an id; nothing else comes near a query or a folder. */
    public static boolean isValid(String text) {
        return VALID.matcher(text).matches();
    }
}
