package io.peft4j.jinja.support;

/**
 * A template cannot be parsed, fails, refuses its input (by {@code raise_exception}), or uses more than its limits
 * allow. The message names the line of the template and what was wrong there.
 */
public final class JinjaException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int line;

    JinjaException(int line, String message) {
        super(message);
        this.line = line;
    }

    /**
     * The line of the template at fault.
     *
     * @return the line, counted from 1; 0 where it is not known
     */
    public int line() {
        return line;
    }
}
