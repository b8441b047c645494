package io.peft4j.cli;

import io.peft4j.cloud.jobs.ContainerModel;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.serve.ContainerServer;
import io.peft4j.serve.EndpointContract;
import java.util.concurrent.CountDownLatch;

/** Serves a model until the process is stopped. */
final class ContainerRun {
    private final Interrupts interrupts;
    private final Console console;
    private final EngineOptions engine;

    ContainerRun(Interrupts interrupts, Console console, EngineOptions engine) {
        this.interrupts = interrupts;
        this.console = console;
        this.engine = engine;
    }

    /** Loads the model, says so on stdout when it listens, and ends in order on SIGTERM. */
    int serve(ContainerModel place, EndpointContract contract, int port) {
        CountDownLatch stopped = new CountDownLatch(1);
        try (BaseModel base = engine.load(place.base(), console)) {
            console.say("model:      %s", EngineOptions.describe(base));
            if (place.adapter().isEmpty()) {
                console.say("adapter:    none");
                serve(base, contract, port, stopped);
            } else {
                try (PeftModel adapted = base.withAdapter(place.adapter().get())) {
                    console.say("adapter:    %s", place.adapter().get());
                    serve(adapted, contract, port, stopped);
                }
            }
        }
        return 0;
    }

    private void serve(LanguageModel model, EndpointContract contract, int port, CountDownLatch stopped) {
        try (ContainerServer server = ContainerServer.start(model, contract, port);
                Interrupts.Registration stopping = interrupts.stopping(stopped::countDown)) {
            console.out().println("listening on http://0.0.0.0:" + server.port());
            console.checkOut();
            stopped.await();
            console.say("Answering what has been asked, then stopping ...");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
