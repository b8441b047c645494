package io.peft4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterProvenance;
import io.peft4j.core.peft.file.AdapterSummary;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.AdapterExport;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j adapter info}: what an adapter is, and with its base model who can load it. */
@Command(name = "info", sortOptions = false, description = {"Describes an adapter folder.",
    "With --model it is also loaded, mismatches are listed, its passport is compared, and the programs that can "
            + "load it are named."})
final class AdapterInfoCommand extends PeftCommand {
    @Parameters(index = "0", paramLabel = "DIR", description = "The adapter.")
    private Path folder;

    @Option(names = "--model", paramLabel = "ID|DIR|FILE.gguf", description = "Its base model.")
    private String model;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        AdapterSummary summary = AdapterSummary.read(folder);
        ObjectNode line = CommandJson.MAPPER.createObjectNode();
        line.put("method", summary.method().name()).put("description", summary.method().description())
                .put("base_model", summary.config().common().baseModel().orElse(null))
                .put("tensors", summary.tensors()).put("values", summary.values()).put("bytes", summary.bytes())
                .set("types", CommandJson.MAPPER.valueToTree(summary.types()));
        try {
            line.set("config", CommandJson.MAPPER.readTree(summary.config().toJson()));
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("cannot read the configuration back", e);
        }
        Optional<AdapterProvenance> passport = AdapterProvenance.read(folder);
        passport.ifPresent(p -> line.set("training", CommandJson.MAPPER.valueToTree(p.training())));
        if (model != null) {
            addModel(line, passport);
        }
        if (json.isGiven()) {
            console().print(line);
        } else {
            print(line);
        }
        return 0;
    }

    private void addModel(ObjectNode line, Optional<AdapterProvenance> passport) {
        try (BaseModel base = EngineOptions.loadFor(model, folder, ModelOptions.defaults(), console());
                PeftModel adapted = base.withAdapter(folder)) {
            line.put("adapted_layers", adapted.status().numAdapterLayers());
            line.put("trainable_parameters", adapted.trainableParameterCount());
            Map<String, List<String>> obstacles = AdapterExport.obstacles(adapted, PeftModel.DEFAULT_ADAPTER);
            line.set("obstacles", CommandJson.MAPPER.valueToTree(obstacles));
            line.set("mismatches", CommandJson.MAPPER.valueToTree(passport.stream().flatMap(p -> Stream.concat(
                    p.mismatches(base).stream(), p.goldenMismatches(adapted).stream()))
                    .map(AdapterProvenance.Mismatch::explanation).toList()));
        }
    }

    private void print(ObjectNode line) {
        line.properties().stream().filter(field -> field.getValue().isValueNode())
                .forEach(field -> console().out().printf(Locale.ROOT, "%-22s%s%n", field.getKey().replace('_', ' '),
                        field.getValue().asText()));
        line.path("obstacles").properties().forEach(field -> console().out().printf(Locale.ROOT, "%-30s%s%n",
                field.getKey(), field.getValue().isEmpty() ? "can load it" : "cannot load it: " + field.getValue()));
        line.path("mismatches").forEach(text -> console().out().println(text.asText()));
        console().checkOut();
    }
}
