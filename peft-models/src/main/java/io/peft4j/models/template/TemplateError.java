package io.peft4j.models.template;

import io.peft4j.core.error.PeftException;

/** What went wrong inside a template, before the line is known; {@link JinjaChatTemplate} adds it. */
final class TemplateError extends PeftException {
    private static final long serialVersionUID = 1L;

    TemplateError(String message) {
        super(message);
    }
}
