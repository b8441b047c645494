package io.peft4j.jinja.support;

/** Counts down what {@link JinjaTemplate.JinjaLimits} allows one rendering. */
final class Budget {
    private static final int CHARACTERS_PER_STEP = 64;

    private final JinjaTemplate.JinjaLimits limits;
    private long steps;
    private int depth;

    Budget(JinjaTemplate.JinjaLimits limits) {
        this.limits = limits;
    }

    /** Charges handled list elements or other units of work. */
    void charge(long work) {
        steps += work;
        if (steps > limits.maxSteps()) {
            throw new TemplateError("the template needs more than " + limits.maxSteps() + " steps; is there an endless"
                    + " or nested loop?");
        }
    }

    /** Charges a string of the given length before or after it is made, and refuses one that is too long. */
    void chargeText(long length) {
        checkLength(length);
        charge(1 + length / CHARACTERS_PER_STEP);
    }

    /** Refuses a string that is too long. */
    void checkLength(long length) {
        if (length > limits.maxOutput()) {
            throw new TemplateError("the output is longer than " + limits.maxOutput() + " characters");
        }
    }

    /** Enters one level of nesting. */
    void enter() {
        charge(1);
        if (++depth > limits.maxDepth()) {
            throw new TemplateError("the template is nested deeper than " + limits.maxDepth() + " levels; does a "
                    + "macro call"
                    + " itself?");
        }
    }

    /** Leaves one level of nesting. */
    void leave() {
        depth--;
    }
}
