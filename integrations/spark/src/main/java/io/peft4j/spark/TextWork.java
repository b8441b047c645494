package io.peft4j.spark;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.data.format.DataRow;

/** What is done with texts. */
abstract class TextWork implements BatchWork<String> {
    private static final long serialVersionUID = 1L;

    @Override
    public final String input(LanguageModel model, DataRow row) {
        if (row.fields().get("text") instanceof String text) {
            return text;
        }
        throw row.wrong("the text is not a string");
    }
}
