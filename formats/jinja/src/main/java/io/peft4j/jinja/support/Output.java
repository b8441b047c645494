package io.peft4j.jinja.support;

/** Text that a template writes, charged to the budget. */
final class Output {
    private final StringBuilder text = new StringBuilder();
    private final Budget budget;

    Output(Budget budget) {
        this.budget = budget;
    }

    void append(String part) {
        budget.chargeText(part.length());
        budget.checkLength(text.length() + (long) part.length());
        text.append(part);
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
