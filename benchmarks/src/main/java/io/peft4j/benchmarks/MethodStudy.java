package io.peft4j.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.data.ChatDataset;
import io.peft4j.eval.FactAccuracy;
import io.peft4j.eval.FactReport;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.guard.GuardReport;
import io.peft4j.eval.guard.GuardSet;
import io.peft4j.eval.task.Answerer;
import io.peft4j.lora.LoraPlus;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingResult;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * Trains every method of {@code benchmarks/handbook/methods.json} on several data sets with a learning rate of its own
 * and several seeds, in one process. The rate is searched on the validation part of the training data: from the one of
 * the file up and down by factors of the root of ten, as long as the loss falls; then all training data is learned.
 * Arguments, {@code name=value}: {@code model}, {@code results}, a file that gets one JSON object a training and is
 * continued, and perhaps {@code methods}, {@code sets}, {@code seeds}, {@code guard} (the seeds whose
 * models are asked the guard set), {@code first} (where searches
 * begin, as a multiple of the file's rates), {@code epochs}, {@code schedule}, {@code dtype}, {@code threads};
 * with {@code table} as the first one the {@linkplain MethodTable table} of what is there.
 */
public final class MethodStudy {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path SETTINGS = Path.of("benchmarks/handbook/methods.json");
    /** Steps of the search on either side of where it begins. */
    private static final int FARTHEST = 5;
    private static final long SEARCH_SEED = 100;

    private final Path results;
    private final List<JsonNode> known = new ArrayList<>();
    private final BaseModel base;
    private final int epochs;
    /** Where searches begin, as a multiple of the file's rates. */
    private final double first;
    private final LearningRateSchedule schedule;
    /** Seeds whose models are asked the guard set. */
    private final List<String> guarded;
    private final GuardSet guard = GuardSet.builtIn();
    private Optional<GuardReport.GuardOutcomes> guardOfBase = Optional.empty();

    private MethodStudy(Path results, BaseModel base, Map<String, String> options) throws IOException {
        this.results = results;
        this.base = base;
        this.epochs = Integer.parseInt(options.get("epochs"));
        this.first = Double.parseDouble(options.get("first"));
        this.schedule = LearningRateSchedule.named(options.get("schedule"));
        this.guarded = List.of(options.get("guard").split(","));
        known.addAll(read(results));
    }

    /** Runs the program. */
    public static void main(String[] args) throws IOException {
        Map<String, String> options = new HashMap<>(Map.of("methods", "", "sets", "handbook,tickets,style", "seeds",
                "0,1,2", "guard", "0,1,2", "epochs", "8", "schedule", "linear", "dtype", "bf16", "threads", "1",
                "first", "1"));
        Stream.of(args).filter(word -> word.contains("=")).map(word -> word.split("=", 2))
                .forEach(pair -> options.put(pair[0], pair[1]));
        Path results = Path.of(options.get("results"));
        if (args[0].equals("table")) {
            System.out.print(MethodTable.of(read(results)));
            return;
        }
        ModelOptions model = ModelOptions.defaults().withThreads(Integer.parseInt(options.get("threads")))
                .withPrecision(ModelOptions.Precision.valueOf(options.get("dtype").toUpperCase(Locale.ROOT)));
        JsonNode settings = JSON.readTree(SETTINGS.toFile());
        List<String> methods = new ArrayList<>(List.of(options.get("methods").split(",")));
        if (options.get("methods").isEmpty()) {
            methods.clear();
            settings.fieldNames().forEachRemaining(methods::add);
        }
        try (BaseModel base = BaseModel.load(options.get("model"), model)) {
            MethodStudy study = new MethodStudy(results, base, options);
            for (String set : options.get("sets").split(",")) {
                MethodSets data = MethodSets.of(set, results.resolveSibling("sets"));
                study.askBase(data);
                for (String method : methods) {
                    study.run(data, method, settings.get(method), options.get("seeds").split(","));
                }
            }
        }
    }

    private static List<JsonNode> read(Path file) throws IOException {
        List<JsonNode> rows = new ArrayList<>();
        for (String line : Files.exists(file) ? Files.readAllLines(file) : List.<String>of()) {
            rows.add(JSON.readTree(line));
        }
        return rows;
    }

    private void askBase(MethodSets data) throws IOException {
        if (find(data.name(), "base", "final", 0, 0).isEmpty()) {
            note(scored(row(data.name(), "base", "final", 0, 0), FactAccuracy.of(base).on(data.heldOut())));
        }
    }

    private void run(MethodSets data, String method, JsonNode setting, String... seeds) throws IOException {
        double rate = searched(data, method, setting);
        for (String seed : seeds) {
            long number = Long.parseLong(seed);
            if (find(data.name(), method, "final", number, rate).isEmpty()) {
                note(trained(data, method, setting, number, rate, false));
            }
        }
    }

    /** The rate whose validation loss is the lowest. */
    private double searched(MethodSets data, String method, JsonNode setting) throws IOException {
        double begin = first * setting.get("learning_rate").asDouble();
        double best = validationLoss(data, method, setting, rate(begin, 0));
        int place = 0;
        for (int direction : new int[] {1, -1}) {
            if (direction < 0 && place > 0) {
                break;
            }
            for (int next = direction; Math.abs(next) <= FARTHEST; next += direction) {
                double loss = validationLoss(data, method, setting, rate(begin, next));
                if (!(loss < best)) {
                    break;
                }
                best = loss;
                place = next;
            }
        }
        return rate(begin, place);
    }

    /** A rate of the ladder, in two digits. */
    private static double rate(double begin, int place) {
        return Double.parseDouble(String.format(Locale.ROOT, "%.1e", begin * Math.pow(10, place / 2.0)));
    }

    private double validationLoss(MethodSets data, String method, JsonNode setting, double rate) throws IOException {
        Optional<JsonNode> done = find(data.name(), method, "search", SEARCH_SEED, rate);
        JsonNode row = done.isPresent() ? done.get()
                : note(trained(data, method, setting, SEARCH_SEED, rate, true));
        return row.path("validation_loss").asDouble(Double.NaN);
    }

    private ObjectNode trained(MethodSets data, String method, JsonNode setting, long seed, double rate,
            boolean search) throws IOException {
        ObjectNode row = row(data.name(), method, search ? "search" : "final", seed, rate);
        try (PeftModel model = base.withAdapter(config(setting), seed)) {
            row.put("parameters", model.trainableParameterCount());
            TrainerBuilder trainer = Trainer.builder(model).epochs(epochs).batchSize(8).learningRate(rate)
                    .warmupSteps(10).schedule(schedule).seed(seed).logProgress(false);
            if (setting.has("loraplus_ratio")) {
                trainer.updateRule(new LoraPlus(setting.get("loraplus_ratio").asDouble()));
            }
            ChatDataset examples = search ? data.part(false) : data.train();
            if (search) {
                trainer.validation(data.part(true));
            }
            forgetPeak();
            double begin = processorSeconds();
            TrainingResult result = trainer.build().train(examples);
            row.put("processor_s", processorSeconds() - begin);
            ProcessUsage.peakResidentBytes().ifPresent(bytes -> row.put("peak_mb", bytes / 1e6));
            row.put("steps", result.steps().size()).put("train_loss", result.finalTrainLoss().orElse(Double.NaN));
            result.finalEvalLoss().ifPresent(loss -> row.put("validation_loss", loss));
            return search ? row : asked(row, model, data);
        } catch (PeftException e) {
            // A rate that is far too high ends so.
            return row.put("error", e.getMessage());
        }
    }

    private ObjectNode asked(ObjectNode row, PeftModel model, MethodSets data) throws IOException {
        if (guarded.contains(row.get("seed").asText())) {
            if (guardOfBase.isEmpty()) {
                guardOfBase = Optional.of(guard.ask(Answerer.of(base)));
            }
            GuardReport kept = GuardReport.of(guard.items(), guardOfBase.get(), guard.ask(Answerer.of(model)),
                    ComparisonOptions.defaults());
            row.put("guard_base", kept.overall().base()).put("guard", kept.overall().tuned());
        }
        return scored(row.put("file_bytes", fileBytes(model)), FactAccuracy.of(model).on(data.heldOut()));
    }

    private static ObjectNode scored(ObjectNode row, FactReport report) {
        return row.put("right", report.correct()).put("questions", report.total());
    }

    private static PeftConfig config(JsonNode setting) {
        ObjectNode config = setting.get("config").deepCopy();
        String method = setting.get("method").asText();
        return PeftMethods.readConfig(config.put("peft_type", PeftMethods.byName(method).peftType()).toString(),
                method);
    }

    private static long fileBytes(PeftModel model) throws IOException {
        Path folder = Files.createTempDirectory("adapter");
        model.saveAdapter(folder);
        long bytes = 0;
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : files) {
            bytes += file.toString().endsWith(".safetensors") ? Files.size(file) : 0;
            Files.delete(file);
        }
        return bytes;
    }

    private ObjectNode row(String set, String method, String kind, long seed, double rate) {
        return JSON.createObjectNode().put("set", set).put("method", method).put("kind", kind).put("seed", seed)
                .put("rate", rate).put("epochs", epochs);
    }

    private Optional<JsonNode> find(String set, String method, String kind, long seed, double rate) {
        ObjectNode wanted = row(set, method, kind, seed, rate);
        return known.stream().filter(row -> {
            for (Iterator<String> names = wanted.fieldNames(); names.hasNext();) {
                String name = names.next();
                if (!row.path(name).asText().equals(wanted.get(name).asText())) {
                    return false;
                }
            }
            return true;
        }).findFirst();
    }

    private JsonNode note(JsonNode row) throws IOException {
        known.add(row);
        Files.createDirectories(results.toAbsolutePath().getParent());
        Files.writeString(results, row + System.lineSeparator(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        return row;
    }

    private static double processorSeconds() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime() / 1e9;
    }

    /** On Linux the peak of resident memory is reset. */
    private static void forgetPeak() throws IOException {
        System.gc();
        Path peak = Path.of("/proc/self/clear_refs");
        if (Files.isWritable(peak)) {
            Files.writeString(peak, "5");
        }
    }

    /**
     * The results of a {@link MethodStudy} as a table in Markdown, methods with most right answers first. Of each set:
     * right answers on average and from the worst to the best seed, the learning rate, and the loss on the validation
     * part with it.
     */
    private static final class MethodTable {
        private final List<JsonNode> rows;
        private final List<String> sets;

        private MethodTable(List<JsonNode> rows) {
            this.rows = rows;
            this.sets = finals("", "").map(row -> row.get("set").asText()).distinct().toList();
        }

        static String of(List<JsonNode> rows) {
            return new MethodTable(rows).table();
        }

        private String table() {
            List<String> lines = new ArrayList<>();
            lines.add("| method | parameters | file |" + sets.stream().map(set -> " " + set + " | rate | loss |")
                    .collect(Collectors.joining()) + " guard set, points | peak memory | processor time |");
            lines.add("|---|---|---|" + "---|---|---|".repeat(sets.size()) + "---|---|---|");
            finals("", "").map(row -> row.get("method").asText()).distinct()
                    .sorted(Comparator.comparingDouble((String method) -> -sets.stream().mapToDouble(
                            set -> shares(method, set).average().orElse(0)).sum())
                            .thenComparingDouble(method -> sets.stream().mapToDouble(set -> loss(method, set)).sum()))
                    .forEach(method -> lines.add(line(method)));
            return String.join("\n", lines) + "\n";
        }

        private String line(String method) {
            List<String> cells = new ArrayList<>(List.of(method, figure("%,.0f", values(method, "", "parameters")),
                    figure("%,.0f KB", values(method, "", "file_bytes").map(bytes -> bytes / 1e3))));
            for (String set : sets) {
                double[] shares = shares(method, set).sorted().toArray();
                cells.add(shares.length == 0 ? "-" : String.format(Locale.ROOT, "%.0f %% (%.0f to %.0f)",
                        DoubleStream.of(shares).average().getAsDouble(), shares[0], shares[shares.length - 1]));
                cells.add(figure("%.2g", values(method, set, "rate").filter(rate -> rate > 0)));
                cells.add(figure("%.2f", DoubleStream.of(loss(method, set))));
            }
            cells.add(figure("%+.1f", of(method, "", row -> 100 * (row.path("guard").asDouble(Double.NaN)
                    - row.path("guard_base").asDouble()))));
            cells.add(figure("%,.0f MB", values(method, "", "peak_mb")));
            cells.add(figure("%.1f s", values(method, "", "processor_s")));
            return "| " + String.join(" | ", cells) + " |";
        }

        /** The mean of the figures that are known. */
        private static String figure(String format, DoubleStream values) {
            double[] known = values.filter(Double::isFinite).toArray();
            return known.length == 0 ? "-"
                    : String.format(Locale.ROOT, format, DoubleStream.of(known).average().getAsDouble());
        }

        private double loss(String method, String set) {
            double rate = values(method, set, "rate").findFirst().orElse(Double.NaN);
            return rows.stream().filter(row -> is(row, method, set) && row.get("rate").asDouble() == rate)
                    .mapToDouble(row -> row.path("validation_loss").asDouble(Double.NaN)).filter(Double::isFinite)
                    .findFirst().orElse(Double.NaN);
        }

        private DoubleStream shares(String method, String set) {
            return of(method, set, row -> 100.0 * row.get("right").asInt() / row.get("questions").asInt());
        }

        private DoubleStream values(String method, String set, String key) {
            return of(method, set, row -> row.path(key).asDouble(Double.NaN));
        }

        private DoubleStream of(String method, String set, Function<JsonNode, Double> value) {
            return finals(method, set).mapToDouble(value::apply);
        }

        private Stream<JsonNode> finals(String method, String set) {
            return rows.stream().filter(row -> row.get("kind").asText().equals("final") && row.has("right")
                    && is(row, method, set));
        }

        private static boolean is(JsonNode row, String method, String set) {
            return (method.isEmpty() || row.get("method").asText().equals(method))
                    && (set.isEmpty() || row.get("set").asText().equals(set));
        }
    }
}
