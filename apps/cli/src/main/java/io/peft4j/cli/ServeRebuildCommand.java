package io.peft4j.cli;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.serve.DamagedDataException;
import io.peft4j.serve.ServerData;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code peft4j serve rebuild}. */
@Command(name = "rebuild",
        description = "Builds the database of a server that does not run again, from the files, jobs "
                + "and keys in its data folder; a damaged one is put aside.")
final class ServeRebuildCommand extends PeftCommand {
    @Option(names = "--data", required = true, paramLabel = "DIR", description = "The data folder of the server.")
    private Path data;

    @Option(names = "--database", paramLabel = "URL", description = "Its database, where it is not the file in that "
            + "folder; it must be empty.")
    private String database;

    /** What a damaged database ends with, and the command that helps. */
    static PeftException advised(DamagedDataException e, Path data) {
        return new ConfigurationException(e.getMessage() + " with 'peft4j serve rebuild --data " + data + "'", e);
    }

    @Override
    public Integer call() {
        ServerData.Found found = ServerData.rebuild(data, Optional.ofNullable(database));
        console().print(CommandJson.MAPPER.createObjectNode().put("files", found.files()).put("jobs", found.jobs())
                .put("models", found.models()).put("keys", found.keys()));
        return 0;
    }
}
