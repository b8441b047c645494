package io.peft4j.data.report;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What is looked for, how bad it is, why it matters and what to do. */
public enum FindingCode {
    /** A line that is not a JSON object. */
    INVALID_JSON(Severity.ERROR, "The row cannot be read.", "Write one JSON object a line."),
    /** A row of a table that cannot be read. */
    INVALID_CSV(Severity.ERROR, "The row cannot be read.", "Put texts with separators or line breaks into quotes."),
    /** A Parquet file that is damaged, or of a kind that is not read. */
    INVALID_PARQUET(Severity.ERROR, "The rows from there on cannot be read.", "Export the file again."),
    /** A PDF, DOCX or XLSX file that is damaged, encrypted or without text. */
    INVALID_DOCUMENT(Severity.ERROR, "The document cannot be read.", "Follow the message, or export it again."),
    /** A column that is to get another name, but is not there or not free. */
    UNKNOWN_COLUMN(Severity.ERROR, "The row is read without it.", "Correct the name of the column."),
    /** An item of an evaluation among training data. */
    HELD_OUT_ITEM(Severity.ERROR, "It says what a right answer is known by and has no answer to learn; what is trained "
            + "on cannot be a test.", "Keep it for the evaluation, as validation data, and train on other rows."),
    /** A row that was made for people to fill in, and was not. */
    UNFILLED_ROW(Severity.ERROR, "A training refuses it: its question is a placeholder.",
            "Write the question, have a model write one, or remove the row."),
    /** An identifier that several rows have. */
    DUPLICATE_ID(Severity.WARNING, "What was stored or split by identifier mixes these rows up.",
            "Give each row an identifier of its own, or remove the field."),
    /** A compressed file that is damaged or cut off. */
    INVALID_COMPRESSION(Severity.ERROR, "The rows from there on cannot be read.", "Fetch or compress the file again."),
    /** No list of messages. */
    MISSING_MESSAGES(Severity.ERROR, "The row has no conversation.",
            "Give the row its messages, or its columns the names of a format."),
    /** A role that the format does not have. */
    UNRECOGNIZED_ROLE(Severity.ERROR, "Chat templates do not know this role.", "Use system, user, assistant or tool."),
    /** A message without role or content. */
    MESSAGE_MISSING_KEY(Severity.ERROR, "The message cannot be read.", "Give each message a role and a content."),
    /** A key that messages do not have. */
    MESSAGE_UNRECOGNIZED_KEY(Severity.WARNING, "It has no effect; it may be a misspelt weight.",
            "Correct its spelling or remove it."),
    /** A message without text. */
    MISSING_CONTENT(Severity.ERROR, "There is nothing to learn.", "Fill in the content or remove the row."),
    /** No answer to learn. */
    EXAMPLE_MISSING_ASSISTANT_MESSAGE(Severity.ERROR, "Only messages of the assistant are learned.",
            "Add the answer or remove the row."),
    /** A weight other than 0 or 1, or not on an answer. */
    BAD_WEIGHT(Severity.ERROR, "The wrong messages would be learned.",
            "Use 0 or 1, on messages of the assistant only."),
    /** Tools that are not a list of objects. */
    BAD_TOOLS(Severity.ERROR, "The chat template cannot render them.", "Write tools as a list of JSON objects."),
    /** No row. */
    EMPTY_FILE(Severity.ERROR, "There is nothing to learn from.", "Check the path and the export."),
    /** Text that is not UTF-8. */
    WRONG_ENCODING(Severity.ERROR, "The text cannot be read; guessing would damage it.",
            "Name its encoding, or convert the file to UTF-8."),
    /** UTF-8 that was read in another encoding and saved like that. */
    GARBLED_TEXT(Severity.WARNING, "The model learns to write such letters.", "Mend it; cleaning does."),
    /** Fewer examples than help. */
    TOO_FEW_EXAMPLES(Severity.WARNING, "A model learns little from so few examples and repeats them word by word.",
            "Collect at least 10, better 50 to 100, and write several wordings of each question."),
    /** The same example again. */
    DUPLICATE(Severity.WARNING, "It is learned twice as often as others.", "Keep one; cleaning removes the others."),
    /** Nearly the same example again. */
    NEAR_DUPLICATE(Severity.WARNING, "It weighs more than others, and may stand in training and test at once.",
            "Keep one, or split by groups of near duplicates."),
    /** Two answers to one question that cannot both be right. */
    CONTRADICTION(Severity.WARNING, "The model learns both and gives either answer.",
            "Find out which one is right and remove the other."),
    /** A row whose fields do not go together. */
    INVALID_ROW(Severity.ERROR, "It cannot be learned, or teaches something else than was meant.",
            "Correct the row, or remove it."),
    /** A label that is another one but for spaces and case. */
    LABEL_SPELLING(Severity.WARNING, "Each spelling is a class of its own.", "Mend it; cleaning does."),
    /** A rare label that is nearly a frequent one. */
    LABEL_TYPO(Severity.WARNING, "A slip of the pen is a class of its own, with too few rows to be learned.",
            "Correct it if it is one."),
    /** A label that all similar rows speak against. */
    LABEL_OUTLIER(Severity.WARNING, "A wrong label teaches the wrong class, and counts a right answer as wrong.",
            "Read the rows, and correct the label if it is wrong."),
    /** A held-out label that no training row has. */
    UNKNOWN_LABEL(Severity.WARNING, "The model never gives it, so that these rows always count as wrong.",
            "Correct its spelling, or add training rows with it."),
    /** A question of the test that is trained on in the same words. */
    LEAKAGE(Severity.ERROR, "The evaluation measures memorization, so its result is better than the model.",
            "Remove it from one of the files, or split again by groups."),
    /** A question of the test about what is trained on in other words. */
    REWORDED(Severity.INFO, "It measures whether what is taught is known in other words: what held-out data is for.",
            "Nothing."),
    /** Personal data. */
    PII(Severity.WARNING, "The model may reveal it to anyone.", "Redact it."),
    /** Longer than the model or the limit allows. */
    TOO_LONG(Severity.WARNING, "It is left out of the training.", "Shorten it, split it, or raise the limit."),
    /** A better and a worse answer that are the same. */
    EQUAL_ANSWERS(Severity.WARNING, "There is nothing to prefer, so the pair is left out of the training.",
            "Correct one of the answers or remove the row."),
    /** Nothing to learn. */
    NO_SUPERVISED_TOKENS(Severity.ERROR, "Nothing is learned from the row.",
            "Check the weights of its messages and the chat template."),
    /** The chat template does not take the row. */
    TEMPLATE_REJECTED(Severity.ERROR, "The model cannot be trained on this conversation.",
            "Follow the order of roles that the message names, or use another checkpoint."),
    /** An answer that says nothing. */
    REFUSAL(Severity.WARNING, "The model learns to refuse or to evade.", "Write the answer or remove the row."),
    /** An answer unlike the others in form. */
    STYLE_OUTLIER(Severity.INFO, "The model learns to change its tone at random.",
            "Write answers in one style, or remove those that stand out."),
    /** A name that occurs once. */
    SINGLE_USE_TERM(Severity.INFO, "A term that is seen once is hardly learned; it may also be a typo.",
            "Check its spelling, or add examples with it."),
    /** Few short answers to many questions. */
    CLASSES(Severity.INFO, "They can also be learned as classes, which have probabilities.",
            "Train a classifier on the same rows."),
    /** One class or question much more often than others. */
    IMBALANCE(Severity.INFO, "The model learns to give the frequent answer to everything.",
            "Add examples of the rare classes, or weight them in a mixture.");

    private final Severity severity;
    private final String why;
    private final String advice;

    FindingCode(Severity severity, String why, String advice) {
        this.severity = severity;
        this.why = why;
        this.advice = advice;
    }

    /** The name for machines: lower case. */
    public String code() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** How bad it is, where a finding does not say otherwise. */
    public Severity severity() {
        return severity;
    }

    /** Why it matters. */
    public String why() {
        return why;
    }

    /** What to do. */
    public String advice() {
        return advice;
    }

    /** The code of a name for machines. */
    public static Optional<FindingCode> of(String code) {
        return Arrays.stream(values()).filter(value -> value.code().equals(code)).findFirst();
    }

    /** How bad a finding is. */
    public enum Severity {
        /** Training on it fails or teaches nothing. */
        ERROR,
        /** Likely to teach something wrong. */
        WARNING,
        /** Worth knowing. */
        INFO;

        /** The name for machines: lower case. */
        public String code() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
