package io.peft4j.cli;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFiles;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.ExampleWriter;
import io.peft4j.data.format.TableColumns;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The options of how data files are read. */
@HelpGroup(HelpGroup.DATA)
final class DataInput {
    @Option(names = "--format", paramLabel = "NAME", description = "The format of the rows: chat, gemini, sharegpt, "
            + "preference, completion, alpaca, qa, classification or text. Default: recognised")
    private DataFormat format;

    @Option(names = "--column", paramLabel = "FILE=NAME", description = "A key or column of the file and the name that "
            + "the format has for it, such as Frage=question. May be given several times.")
    private Map<String, String> columns = new LinkedHashMap<>();

    @Option(names = "--encoding", paramLabel = "NAME", description = "The encoding of the text, such as windows-1252. "
            + "Default: UTF-8, or UTF-16 with its byte order mark")
    private Charset encoding;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    private final Map<List<?>, DataFile> found = new HashMap<>();

    /** A file that is read as the options say, of a handbook its whole text. */
    DataFile handbook(Path path) {
        return new DataFile(path, Optional.ofNullable(format), columns, Optional.ofNullable(encoding));
    }

    /** A file of examples; the columns of a table are found, said and remembered. */
    DataFile file(Path path) {
        return file(path, TableColumns.EXAMPLES);
    }

    /** The same of rows that are to be one of these forms ({@link TableColumns#of}). */
    DataFile file(Path path, List<List<String>> forms) {
        return found(handbook(path), forms);
    }

    /** The same of a file that the format and the columns of the options are not for. */
    DataFile further(Path path, List<List<String>> forms) {
        return found(new DataFile(path, Optional.empty(), Map.of(), Optional.ofNullable(encoding)), forms);
    }

    private DataFile found(DataFile said, List<List<String>> forms) {
        return found.computeIfAbsent(List.of(said, forms), key -> {
            TableColumns table = TableColumns.of(said, forms);
            table.words().ifPresent(words -> new Console(command.commandLine().getOut(), command.commandLine().getErr())
                    .say("%s: %s", said.path().getFileName(), words));
            // What suits one objective alone is not for others to find.
            if (!said.columns().isEmpty() || forms.equals(TableColumns.EXAMPLES)) {
                table.remember();
            }
            return table.file();
        });
    }

    /** Has the columns of a table, which another one keeps, remembered for that one, too. */
    void rememberFor(Path table, Path other) {
        if (ExampleWriter.isTable(other)) {
            TableColumns.of(file(table), TableColumns.EXAMPLES).remember(other);
        }
    }

    /** All examples of a file; the first invalid row is an error. */
    static List<Example> examples(DataFile file) {
        try (ExampleReader reader = ExampleReader.open(file)) {
            return reader.stream().toList();
        }
    }

    /** The same as conversations; a plain text is an error. */
    static List<ChatExample> chats(DataFile file) {
        return examples(file).stream().map(example -> example.toChat().orElseThrow(() -> new DataException(file.path(),
                example.origin().line(), "is plain text, not a question with an answer"))).toList();
    }

    /** Refuses a place for a report, if there is to be one, before anything is computed that it would hold. */
    static void requirePlace(Path report, Path... inputs) {
        if (report != null) {
            requireOther(report, Stream.of(inputs).filter(Objects::nonNull).toList());
            AtomicFiles.requireWritable(report);
        }
    }

    /** Refuses to write over a file that is read. */
    static void requireOther(Path output, List<Path> inputs) {
        inputs.forEach(input -> DataFiles.requireOther(input, output));
    }

    /** The format of a name, for the command line. */
    static DataFormat format(String name) {
        try {
            return DataFormat.named(name);
        } catch (ConfigurationException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    /** The encoding of a name, for the command line. */
    static Charset encoding(String name) {
        try {
            return DataFile.encoding(name);
        } catch (ConfigurationException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
