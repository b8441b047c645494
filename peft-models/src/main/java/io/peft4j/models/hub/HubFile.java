package io.peft4j.models.hub;

import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A file of a model on the hub.
 *
 * @param name its path in the model's repository
 * @param size bytes, or -1 when it is not known
 * @param checksum what its content hashes to; empty when the hub did not tell
 */
record HubFile(String name, long size, Optional<ExpectedHash> checksum) {
    private static final Pattern PLAIN_NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]*");

    /** Whether a text from outside is a mere name: it can leave no folder and hides no separator. */
    static boolean isPlainName(String text) {
        return PLAIN_NAME.matcher(text).matches();
    }

    boolean isAtRoot() {
        return isPlainName(name);
    }

    /** Whether it lies in a folder at the root, both with plain names. */
    boolean isInAFolder() {
        return Stream.of(name.split("/", -1)).allMatch(HubFile::isPlainName) && name.split("/", -1).length == 2;
    }
}
