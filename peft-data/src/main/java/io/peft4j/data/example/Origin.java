package io.peft4j.data.example;

/**
 * Where an example comes from, for messages.
 *
 * @param file the file, or a name for data that came from elsewhere
 * @param line the line, from 1; for data without lines the number of the example
 */
public record Origin(String file, long line) {
    /** Of an example that was made in a program. */
    public static final Origin PROGRAM = new Origin("program", 1);

    /** Where general examples stand, which keep a model from forgetting, and are not what it is to learn. */
    public static final String GENERAL = "the built-in general.jsonl";

    /** Where they stand with the answers of the model that is trained. */
    public static final String ANSWERED = "the general questions";

    /** Whether it is a general example, beside those that are to be learned. */
    public boolean isGeneral() {
        return file.equals(GENERAL) || file.equals(ANSWERED);
    }

    @Override
    public String toString() {
        return file + ", line " + line;
    }
}
