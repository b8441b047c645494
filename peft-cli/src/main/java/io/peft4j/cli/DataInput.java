package io.peft4j.cli;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.format.DataFormat;
import io.peft4j.models.BaseModel;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options of how data files are read. */
final class DataInput {
    @Option(names = "--format", paramLabel = "NAME", description = "The format of the rows: chat, gemini, sharegpt, "
            + "preference, completion, alpaca, qa, classification or text. Default: recognised")
    private DataFormat format;

    @Option(names = "--column", paramLabel = "FILE=NAME", description = "A key or column of the file and the name that "
            + "the format has for it, such as Frage=question. May be given several times.")
    private Map<String, String> columns = new LinkedHashMap<>();

    Optional<DataFormat> format() {
        return Optional.ofNullable(format);
    }

    Map<String, String> columns() {
        return columns;
    }

    /** The format of a name, for the command line. */
    static DataFormat format(String name) {
        try {
            return DataFormat.named(name);
        } catch (ConfigurationException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    /** The tokenizer and the chat template of a model. */
    static ChatEncoder encoder(BaseModel base) {
        return new ChatEncoder(base.tokenizer(), base.chatTemplate().orElseThrow(() -> new ConfigurationException(
                base.network().description().name() + " has no chat template; give a checkpoint of a chat model")));
    }
}
