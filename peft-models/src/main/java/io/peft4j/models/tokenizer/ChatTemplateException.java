package io.peft4j.models.tokenizer;

import io.peft4j.core.error.PeftException;

/**
 * A chat template cannot be parsed, rejects a conversation (by {@code raise_exception}), fails, or uses more than its
 * limits allow. The message names the line of the template and what was wrong there.
 */
final class ChatTemplateException extends PeftException {
    private static final long serialVersionUID = 1L;

    private final int line;

    /** As the template language says it, at a line. */
    public ChatTemplateException(Throwable cause, int line) {
        super("chat " + cause.getMessage(), cause);
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
