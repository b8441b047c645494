package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.serve.DamagedDataException;
import io.peft4j.serve.ServerKeys;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j serve keys}. */
@Command(name = "keys", description = "Makes, lists and revokes the keys of a server, also while it runs.",
        subcommands = {ServeKeysCommand.Add.class, ServeKeysCommand.Show.class, ServeKeysCommand.Revoke.class})
final class ServeKeysCommand extends CommandGroup {
    /** Where the keys are. */
    static final class Place {
        @Option(names = "--data", required = true, paramLabel = "DIR", description = "The data folder of the server.")
        private Path data;

        @Option(names = "--database", paramLabel = "URL", description = "Its database, where it is not the file in "
                + "that folder.")
        private String database;

        ServerKeys open() {
            try {
                return ServerKeys.open(data, Optional.ofNullable(database));
            } catch (DamagedDataException e) {
                throw ServeRebuildCommand.advised(e, data);
            }
        }
    }

    /** {@code peft4j serve keys add}. */
    @Command(name = "add", aliases = "create", description = "Makes a key and prints it; it is shown this once.")
    static final class Add extends PeftCommand {
        @Parameters(paramLabel = "NAME", description = "Whose it is, or what for.")
        private String name;

        @Option(names = "--project", paramLabel = "NAME", description = "Whose files, jobs and models it opens. "
                + "Default: " + ServerKeys.DEFAULT_PROJECT)
        private String project;

        @Option(names = "--admin", description = "It opens the files, jobs and models of all projects.")
        private boolean admin;

        @Option(names = "--requests-per-minute", paramLabel = "N", description = "Default: no limit")
        private Long requests;

        @Option(names = "--tokens-per-day", paramLabel = "N", description = "Tokens of prompts and answers. Default: "
                + "no limit")
        private Long tokens;

        @Option(names = "--jobs-per-day", paramLabel = "N", description = "Default: no limit")
        private Long jobs;

        @Option(names = "--stored-bytes", paramLabel = "N", description = "Bytes of files that are kept. Default: no "
                + "limit")
        private Long bytes;

        @Option(names = "--shut-out", description = "Makes the first key also while a server runs: it refuses requests "
                + "without a key from then on.")
        private boolean shutOut;

        @Mixin
        private Place place;

        @Override
        public Integer call() {
            ServerKeys.Limits limits = fromOptions(() -> new ServerKeys.Limits(Optional.ofNullable(requests),
                    Optional.ofNullable(tokens), Optional.ofNullable(jobs), Optional.ofNullable(bytes)));
            if (admin && project != null) {
                throw usage("--admin and --project exclude each other: an administrator's key opens all projects");
            }
            try (ServerKeys keys = place.open()) {
                if (!shutOut && keys.firstShutsClientsOut()) {
                    throw new ConfigurationException("no key was made: a server runs on " + place.data
                            + ", and with its "
                            + "first key it refuses every request without one by 401, also of the console and of "
                            + "clients that run now. Make it with --shut-out, and give it to them");
                }
                console().out().println(admin ? keys.addAdministrator(name, limits) : fromOptions(() -> keys.add(name,
                        Optional.ofNullable(project).orElse(ServerKeys.DEFAULT_PROJECT), limits)));
                console().checkOut();
            }
            return 0;
        }
    }

    /** {@code peft4j serve keys list}. */
    @Command(name = "list", description = "Prints a line of JSON for each key, also for revoked ones.")
    static final class Show extends PeftCommand {
        @Mixin
        private Place place;

        @Override
        public Integer call() {
            try (ServerKeys keys = place.open()) {
                keys.list().forEach(key -> console().print(line(key)));
            }
            return 0;
        }

        private static ObjectNode line(ServerKeys.Key key) {
            ObjectNode line = CommandJson.MAPPER.createObjectNode().put("id", key.id()).put("name", key.name())
                    .put("hint", key.hint()).put("project", key.project().orElse(null))
                    .put("admin", key.project().isEmpty()).put("created", key.created().toString())
                    .put("revoked", key.revoked().map(Object::toString).orElse(null));
            ServerKeys.Limits limits = key.limits();
            return line.put("requests_per_minute", limits.requestsPerMinute().orElse(null))
                    .put("tokens_per_day", limits.tokensPerDay().orElse(null))
                    .put("jobs_per_day", limits.jobsPerDay().orElse(null))
                    .put("stored_bytes", limits.storedBytes().orElse(null));
        }
    }

    /** {@code peft4j serve keys revoke}. */
    @Command(name = "revoke", description = "Lets a key open nothing any more, within a second.")
    static final class Revoke extends PeftCommand {
        @Parameters(paramLabel = "ID|NAME", description = "Which.")
        private String key;

        @Mixin
        private Place place;

        @Override
        public Integer call() {
            try (ServerKeys keys = place.open()) {
                if (keys.revoke(key) == 0) {
                    throw new ConfigurationException("there is no key '" + key + "' that opens; see 'serve keys list'");
                }
            }
            return 0;
        }
    }
}
