package io.peft4j.cli;

import io.peft4j.models.BaseModel;
import io.peft4j.serve.FineTuningServer;
import io.peft4j.serve.FineTuningServerBuilder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j serve}. */
@Command(name = "serve", description = "Serves OpenAI's API for files, fine-tuning jobs, models and answers.")
final class ServeCommand extends PeftCommand {
    @Option(names = "--model", required = true, paramLabel = "ID|DIR|FILE.gguf", description = "The base model.")
    private String model;

    @Option(names = "--port", required = true, paramLabel = "P", description = "The port; 0 takes any that is free.")
    private int port;

    @Option(names = "--data", required = true, paramLabel = "DIR", description = "Where files, jobs and adapters are "
            + "kept.")
    private Path data;

    @Option(names = "--host", paramLabel = "HOST", defaultValue = "127.0.0.1",
            description = "The address to listen at; one that others can reach needs a key. Default: ${DEFAULT-VALUE}")
    private String host;

    @Option(names = "--api-key", paramLabel = "K", description = "A key that requests must bring.")
    private String apiKey;

    @Option(names = "--adapter", paramLabel = "NAME=DIR", description = "An adapter that answers under the name; may "
            + "be given more than once.")
    private Map<String, Path> adapters = new LinkedHashMap<>();

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() {
        try (BaseModel base = engine.load(model, console());
                FineTuningServer server = start(base)) {
            console().out().println("listening on " + server.url());
            console().checkOut();
            untilStopped();
        }
        return 0;
    }

    private FineTuningServer start(BaseModel base) {
        FineTuningServerBuilder builder = FineTuningServer.builder(base, data);
        fromOptions(() -> {
            builder.host(host).port(port);
            adapters.forEach(builder::adapter);
            return apiKey == null ? builder : builder.apiKey(apiKey);
        });
        return builder.start();
    }

    private void untilStopped() {
        CountDownLatch stop = new CountDownLatch(1);
        try (Interrupts.Registration stopping = interrupts().stopping(stop::countDown)) {
            stop.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
