package io.peft4j.cli;

import io.peft4j.cloud.jobs.RemoteFolder;
import io.peft4j.core.error.PeftException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Arguments that are addresses ({@code s3://}, {@code gs://}) where a command takes a path. What is there comes to this
 * machine before the command runs, the command gets its path, and what it writes there goes back while it runs and in
 * the end, whatever its end is.
 */
final class RemoteArguments {
    /** A value, perhaps behind the name of an option or of a tracker. */
    private static final Pattern ADDRESS = Pattern.compile("((?:[-\\w]+=)*)((?:s3|gs)://.*)");
    private static final Duration FOLLOW = Duration.ofSeconds(30);

    private final Map<String, RemoteFolder> folders = new LinkedHashMap<>();
    private final String[] words;

    /**
     * Brings what lies at the addresses here.
     *
     * @throws PeftException when an address is wrong, or what reaches it is not there
     * @throws UncheckedIOException when a storage is not reached
     */
    RemoteArguments(String... arguments) {
        List<String> local = new ArrayList<>();
        for (int i = 0; i < arguments.length; i++) {
            Matcher matcher = ADDRESS.matcher(arguments[i]);
            boolean text = i > 0 && arguments[i - 1].equals("--prompt");
            local.add(!text && matcher.matches() ? matcher.group(1) + folder(matcher.group(2)).local() : arguments[i]);
        }
        words = local.toArray(String[]::new);
        folders.values().forEach(folder -> folder.follow(FOLLOW));
    }

    private RemoteFolder folder(String address) {
        return folders.computeIfAbsent(address, RemoteFolder::open);
    }

    /** The arguments with paths of this machine. */
    String[] words() {
        return words.clone();
    }

    /** Says where things are, since messages name the paths. */
    void say(PrintWriter err) {
        folders.forEach((address, folder) -> err.println(address + (folder.exists() ? " is in " : " has nothing yet; "
                + "what is written goes there from ") + folder.local()));
    }

    /** Brings back what was written; the exit status. */
    int publish(int status, PrintWriter err) {
        int result = status;
        for (RemoteFolder folder : folders.values()) {
            try {
                folder.close();
            } catch (PeftException | UncheckedIOException e) {
                err.println("peft4j: " + e.getMessage());
                result = status == 0 ? 1 : status;
            }
        }
        return result;
    }
}
