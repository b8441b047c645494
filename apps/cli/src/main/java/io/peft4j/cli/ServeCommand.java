package io.peft4j.cli;

import io.peft4j.core.model.Task;
import io.peft4j.core.peft.file.AdapterSignature;
import io.peft4j.core.peft.file.AdapterTask;
import io.peft4j.eval.VerdictOptions;
import io.peft4j.models.BaseModel;
import io.peft4j.models.architecture.SentencePooling;
import io.peft4j.models.hub.ModelSource;
import io.peft4j.serve.DamagedDataException;
import io.peft4j.serve.FineTuningServer;
import io.peft4j.serve.FineTuningServerBuilder;
import io.peft4j.serve.answer.AnsweringOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j serve}. */
@Command(name = "serve", description = "Serves OpenAI's API for files, fine-tuning jobs, models and answers.",
        subcommands = {ServeKeysCommand.class, ServeRebuildCommand.class})
final class ServeCommand extends PeftCommand {
    // Not required by picocli, which would ask for them where keys are managed, too.
    @Option(names = "--model", paramLabel = "ID|DIR|FILE.gguf", description = "The base model: one that answers, "
            + "an encoder or folder of sentence-transformers, which gives embeddings, or a cross-encoder, which "
            + "reranks. Required.")
    private String model;

    @Option(names = "--embedding-model", paramLabel = "ID|DIR|FILE.gguf", description = "A second model, which gives "
            + "embeddings.")
    private String embeddingModel;

    @Option(names = "--reranking-model", paramLabel = "ID|DIR", description = "A further model, which reranks texts.")
    private String rerankingModel;

    @Option(names = "--port", paramLabel = "P", description = "The port; 0 takes any that is free. Required.")
    private Integer port;

    @Option(names = "--data", paramLabel = "DIR", description = "Where files, jobs and adapters are kept. Required.")
    private Path data;

    @Option(names = "--host", paramLabel = "HOST", defaultValue = "127.0.0.1",
            description = "The address to listen at; one that others can reach needs a key. Default: ${DEFAULT-VALUE}")
    private String host;

    @Option(names = "--api-key", paramLabel = "K", defaultValue = "${env:PEFT4J_API_KEY}", description = "A key that "
            + "opens everything. Default: that of the variable PEFT4J_API_KEY, else none; see also 'serve keys'.")
    private String apiKey;

    @Option(names = "--adapter", paramLabel = "NAME=DIR", description = "An adapter that answers under the name; may "
            + "be given more than once.")
    private Map<String, Path> adapters = new LinkedHashMap<>();

    @Option(names = "--shutdown", paramLabel = "NAME=DATE", description = "The day on which a model stops to answer, "
            + "such as 2027-01-14, told as its shutdown_date; may be given more than once.")
    private Map<String, LocalDate> shutdowns = new LinkedHashMap<>();

    @Option(names = "--database", paramLabel = "URL", description = "A database of PostgreSQL that several servers "
            + "share together with the data folder, as postgresql://HOST/NAME?user=U&password=P. Default: a file in "
            + "that folder.")
    private String database;

    @Option(names = "--lease", paramLabel = "SECONDS", defaultValue = "15", description = "The time after which a job "
            + "of a server that is gone is taken over by another. Default: ${DEFAULT-VALUE}")
    private int lease;

    @Option(names = "--organization", paramLabel = "NAME", defaultValue = "peft4j", description = "The organization in "
            + "names of tuned models. Default: ${DEFAULT-VALUE}")
    private String organization;

    @Option(names = "--verdict-items", paramLabel = "N", description = "Held-out examples that are asked after a job "
            + "to judge its model; 0 for no verdict. Default: 24")
    private Integer verdictItems;

    @Option(names = "--jobs", paramLabel = "N", defaultValue = "1", description = "Jobs that train at a time; 0 for a "
            + "server that only answers. Default: ${DEFAULT-VALUE}")
    private int jobs;

    @Option(names = "--training-share", paramLabel = "X", description = "The share of the computing time that "
            + "trainings keep while answers are asked for, above 0 and below 1. Default: 0.5")
    private Double trainingShare;

    @Option(names = "--adapter-root", paramLabel = "DIR", description = "A folder of which clients may load adapters "
            + "that lie below it, as with vLLM's load_lora_adapter; may be given more than once.")
    private List<Path> adapterRoots = new ArrayList<>();

    @Option(names = "--trusted-key", paramLabel = "K.pub",
            description = "Takes adapters of --adapter and --adapter-root "
                    + "only where they were signed with the private key of this public one; see 'adapter sign'.")
    private Path trustedKey;

    @Option(names = "--max-error", paramLabel = "X", description = "Leaves typed questions to a person where answers "
            + "are not certain enough for at most this share to be wrong; one of the errors of peft4j calibrate.")
    private Double maxError;

    @Option(names = "--slow-answer", paramLabel = "SECONDS", description = "Answers that take longer are logged with "
            + "where their time went. Default: ${DEFAULT-VALUE}", defaultValue = "30")
    private double slowAnswer;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() {
        requireOptions();
        CountDownLatch stop = new CountDownLatch(1);
        try (Interrupts.Registration stopping = interrupts().stopping(stop::countDown);
                BaseModel base = engine.load(model, console(), this::task);
                Further embedder = further(embeddingModel, Task.EMBEDDING);
                Further reranker = further(rerankingModel, Task.RERANKING);
                FineTuningServer server = start(builder(base, embedder, reranker))) {
            console().out().println("listening on " + server.url());
            console().checkOut();
            stop.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return 0;
    }

    private FineTuningServer start(FineTuningServerBuilder builder) {
        try {
            return builder.start();
        } catch (DamagedDataException e) {
            throw ServeRebuildCommand.advised(e, data);
        }
    }

    /**
     * What the first adapter is for, or a folder of sentence-transformers, whatever its network could be, too; else
     * what the model says.
     */
    private Optional<Task> task(ModelSource source) {
        Optional<Task> ofAdapter = adapters.values().stream().findFirst().flatMap(AdapterTask::read);
        return ofAdapter.isPresent() ? ofAdapter
                : SentencePooling.isOfVectors(source.path()) ? Optional.of(Task.EMBEDDING) : Optional.empty();
    }

    private Further further(String wanted, Task task) {
        return new Further(Optional.ofNullable(wanted)
                .map(name -> engine.load(name, console(), source -> Optional.of(task))));
    }

    /** A model beside the base, if any. */
    private record Further(Optional<BaseModel> model) implements AutoCloseable {
        @Override
        public void close() {
            model.ifPresent(BaseModel::close);
        }
    }

    private void requireOptions() {
        List<String> missing = new ArrayList<>();
        for (Map.Entry<String, Object> option : options().entrySet()) {
            if (option.getValue() == null) {
                missing.add("'" + option.getKey() + "'");
            }
        }
        if (!missing.isEmpty()) {
            throw usage("Missing required option" + (missing.size() == 1 ? ": " : "s: ") + String.join(", ", missing));
        }
    }

    private Map<String, Object> options() {
        Map<String, Object> required = new LinkedHashMap<>();
        required.put("--model", model);
        required.put("--port", port);
        required.put("--data", data);
        return required;
    }

    private FineTuningServerBuilder builder(BaseModel base, Further... further) {
        return fromOptions(() -> {
            AnsweringOptions answering = AnsweringOptions.defaults()
                    .withAdapterRoots(adapterRoots.toArray(Path[]::new));
            for (Further each : further) {
                answering = each.model().map(answering::withModel).orElse(answering);
            }
            answering = answering.withSlow(Duration.ofMillis((long) (slowAnswer * 1000)));
            answering = trustedKey == null ? answering
                    : answering.withTrusted(AdapterSignature.trusting(trustedKey));
            answering = maxError == null ? answering : answering.withMaxError(maxError);
            FineTuningServerBuilder builder = FineTuningServer.builder(base, data).host(host).port(port)
                    .organization(organization).jobsAtOnce(jobs).lease(Duration.ofSeconds(lease))
                    .answering(answering);
            adapters.forEach(builder::adapter);
            shutdowns.forEach(builder::shutdown);
            if (apiKey != null && !apiKey.isEmpty()) {
                builder.apiKey(apiKey);
            }
            if (database != null) {
                builder.database(database);
            }
            if (verdictItems != null) {
                VerdictOptions usual = VerdictOptions.defaults();
                builder.verdict(new VerdictOptions(verdictItems, usual.guardItems(), usual.maxNewTokens()));
            }
            return trainingShare == null ? builder : builder.trainingShare(trainingShare);
        });
    }
}
