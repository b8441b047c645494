package io.peft4j.jinja.support;

/** What went wrong inside a template, before the line is known; {@link JinjaTemplate} adds it. */
final class TemplateError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TemplateError(String message) {
        super(message);
    }

    /** The error of something that Jinja or Python has and no chat template needs. */
    static TemplateError unsupported(String what) {
        return new TemplateError(what + " is not supported in chat templates");
    }
}
