package io.peft4j.cli;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * Passes on what JShell says of a script, and notes whether it tells of a failure: JShell itself ends with 0 whatever
 * happened.
 */
final class ShellMessages extends OutputStream {
    /**
     * How JShell begins its messages about a line that does not compile, one that throws, an unknown command, a program
     * that ended, and a missing file: behind a bar where it takes somebody to be typing.
     */
    private static final Pattern FAILURE = Pattern.compile(
            "(\\|  )?(Error:|Exception |Invalid command:|State engine terminated|File ').*");

    private final PrintWriter out;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private boolean failure;

    ShellMessages(PrintWriter out) {
        this.out = out;
    }

    @Override
    public void write(int value) {
        if (value == '\n') {
            endLine();
        } else {
            line.write(value);
        }
    }

    private void endLine() {
        String text = line.toString(StandardCharsets.UTF_8);
        line.reset();
        failure |= FAILURE.matcher(text).matches();
        out.println(text);
        out.flush();
    }

    @Override
    public void close() {
        if (line.size() > 0) {
            endLine();
        }
    }

    /** Whether a line failed. */
    boolean haveFailure() {
        return failure;
    }
}
