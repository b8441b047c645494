package io.peft4j.cli;

import io.modelcontextprotocol.json.McpJsonDefaults;
import io.modelcontextprotocol.server.McpServer;
import io.modelcontextprotocol.server.McpServerFeatures.SyncToolSpecification;
import io.modelcontextprotocol.server.McpSyncServerExchange;
import io.modelcontextprotocol.server.transport.StdioServerTransportProvider;
import io.modelcontextprotocol.spec.McpSchema;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingOptions;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** {@code peft4j mcp}: commands as tools of the Model Context Protocol, for assistants that call them. */
@Command(name = "mcp", description = {"Lets an assistant check data, train, ask and evaluate: a server of the Model "
        + "Context Protocol on stdin and stdout.",
    "Before a training the assistant's user is asked, or the call must say \"confirm\": true."})
final class McpCommand extends PeftCommand {
    private static final String CONFIRM = "confirm";
    private static final String TRAIN = "train";
    private static final List<String> LEARNING = List.of("--model", "--data", "--validation", "--format",
            "--objective", "--remember", "--method", "--rank", "--alpha", "--epochs", "--batch-size",
            "--learning-rate", "--max-length", "--seed", "--dtype", "--threads");
    private static final List<CommandTool> TOOLS = List.of(
            new CommandTool("check_data", List.of("data", "check"), List.of("data", "--validation", "--model",
                    "--format", "--max-length"), false),
            new CommandTool("estimate", List.of("estimate"), LEARNING, false),
            new CommandTool(TRAIN, List.of(TRAIN), Stream.concat(Stream.of("--output"), LEARNING.stream())
                    .toList(), true),
            new CommandTool("ask", List.of("generate"), List.of("--model", "--adapter", "--prompt",
                    "--max-new-tokens", "--temperature", "--dtype", "--threads"), false),
            new CommandTool("evaluate", List.of("evaluate"), List.of("--model", "--adapter", "--data",
                    "--training-data", "--format", "--metric", "--max-new-tokens", "--no-guard", "--dtype",
                    "--threads"), false));
    /** A command that could not do its work, as opposed to one that found something wrong (1). */
    private static final int FAILED = CommandLine.ExitCode.USAGE;

    /** One command at a time, as each takes all processors; the protocol's own threads are interrupted at its end. */
    private final ExecutorService commands = Executors.newSingleThreadExecutor();
    private final AtomicReference<Interrupts> running = new AtomicReference<>(new Interrupts());

    @Option(names = "--folder", required = true, paramLabel = "DIR", description = "Where the assistant works: all "
            + "files that it names are below it. Models may lie elsewhere.")
    private Path folder;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (!Files.isDirectory(folder)) {
            throw usage("--folder is " + folder + "; it must be a folder");
        }
        Path root = folder.toRealPath();
        PrintStream messages = System.out;
        // Whatever else is printed would be a broken message.
        System.setOut(System.err);
        CountDownLatch end = new CountDownLatch(1);
        InputStream requests = new FilterInputStream(System.in) {
            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                int count = super.read(target, offset, length);
                if (count < 0) {
                    end.countDown();
                }
                return count;
            }
        };
        try (Interrupts.Registration stopping = interrupts().stopping(end::countDown)) {
            McpServer.sync(new StdioServerTransportProvider(McpJsonDefaults.getMapper(), requests, messages))
                    .serverInfo("peft4j", Version.number())
                    .capabilities(McpSchema.ServerCapabilities.builder().tools(false).build())
                    .tools(TOOLS.stream().map(tool -> new SyncToolSpecification(tool.described(),
                            (exchange, request) -> answer(tool, root, exchange, request))).toList())
                    .build();
            end.await();
            // A training saves what it has.
            running.get().stop();
        }
        return 0;
    }

    private McpSchema.CallToolResult answer(CommandTool tool, Path root, McpSyncServerExchange exchange,
            McpSchema.CallToolRequest request) {
        try {
            String[] words = tool.words(request.arguments(), root);
            if (tool.writes()) {
                requireConsent(exchange, request.arguments(), words);
            }
            TrainingListener progress = new Progress(exchange, Optional.ofNullable(request.progressToken()));
            return CompletableFuture.supplyAsync(() -> run(progress, words), commands).join();
        } catch (ConfigurationException | IOException e) {
            return McpSchema.CallToolResult.builder().addTextContent(e.getMessage()).isError(true).build();
        }
    }

    /** Asks the person where the assistant can, else takes the assistant's word. */
    private static void requireConsent(McpSyncServerExchange exchange, Map<String, Object> arguments, String... words) {
        if (exchange.getClientCapabilities().elicitation() != null) {
            McpSchema.ElicitResult said = exchange.createElicitation(McpSchema.ElicitFormRequest.builder("Run peft4j "
                    + String.join(" ", words) + "?", Map.of("type", "object", "properties", Map.of())).build());
            if (said.action() != McpSchema.ElicitResult.Action.ACCEPT) {
                throw new ConfigurationException("the user did not agree; nothing was run");
            }
        } else if (!Boolean.TRUE.equals(arguments.get(CONFIRM))) {
            throw new ConfigurationException("nothing was run: ask the user, then call again with \"" + CONFIRM
                    + "\": true");
        }
    }

    /** Runs a command; the result is its last line, and what it said on stderr. */
    private McpSchema.CallToolResult run(TrainingListener progress, String... words) {
        Interrupts own = new Interrupts();
        running.set(own);
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line = (words[0].equals(TRAIN) ? Main.commandLine(own, List.of(new TrainCommand(progress)))
                : Main.commandLine(own, words)).setOut(new PrintWriter(out)).setErr(new PrintWriter(err))
                .setExecutionExceptionHandler((error, command, parsed) -> Math.max(FAILED,
                        Failures.report(error, command, parsed)));
        int status = own.during(() -> line.execute(words));
        McpSchema.CallToolResult.Builder result = McpSchema.CallToolResult.builder().isError(status >= FAILED);
        out.toString().lines().reduce((former, last) -> last).ifPresent(result::addTextContent);
        return result.addTextContent(err.toString()).build();
    }

    /** Tells the assistant of the steps of a training, at most one a second, if its request has a progress token. */
    private static final class Progress implements TrainingListener {
        private final McpSyncServerExchange exchange;
        private final Optional<Object> token;
        private long next = System.nanoTime();

        Progress(McpSyncServerExchange exchange, Optional<Object> token) {
            this.exchange = exchange;
            this.token = token;
        }

        @Override
        public void onStep(StepMetrics step) {
            if (token.isPresent() && (step.step() == step.mostSteps() || System.nanoTime() - next >= 0)) {
                next = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
                exchange.progressNotification(McpSchema.ProgressNotification.builder(token.get(), step.step())
                        .total(step.mostSteps() == 0 ? null : (double) step.mostSteps()).message(step.summary())
                        .build());
            }
        }
    }

    /**
     * A command as a tool, with {@code --json}; one that writes needs consent. A name without strokes among the options
     * is that of the command's first value.
     */
    private record CommandTool(String name, List<String> command, List<String> options, boolean writes) {
        private static final Map<Class<?>, Object> TYPES = Map.of(boolean.class, "boolean", int.class, "integer",
                Integer.class, "integer", long.class, "integer", double.class, "number", String.class, "string",
                Path.class, "string");

        private CommandSpec spec() {
            CommandLine line = Main.commandLine(new Interrupts(), command.get(0));
            for (String word : command) {
                line = line.getSubcommands().get(word);
            }
            return line.getCommandSpec();
        }

        private static ArgSpec argument(CommandSpec spec, String option) {
            return option.startsWith("--") ? spec.findOption(option) : spec.positionalParameters().get(0);
        }

        /** The tool as assistants read it: options are arguments, without the strokes before them. */
        McpSchema.Tool described() {
            CommandSpec spec = spec();
            Map<String, Object> properties = new LinkedHashMap<>();
            List<String> required = new ArrayList<>();
            for (String option : options) {
                ArgSpec argument = argument(spec, option);
                properties.put(option.replace("--", ""), schema(argument));
                if (argument.required()) {
                    required.add(option.replace("--", ""));
                }
            }
            if (writes) {
                properties.put(CONFIRM, Map.of("type", "boolean", "description", "That the user has agreed."));
            }
            return McpSchema.Tool.builder(name, Map.of("type", "object", "properties", properties, "required", required,
                    "additionalProperties", false)).description(String.join(" ", spec.usageMessage().description()))
                    .annotations(McpSchema.ToolAnnotations.builder().readOnlyHint(!writes).destructiveHint(false)
                            .build())
                    .build();
        }

        private static Map<String, Object> schema(ArgSpec argument) {
            Object type = TYPES.getOrDefault(argument.userObject() instanceof TrainingOptions.Declared option
                    ? option.type() : argument.auxiliaryTypes()[0], List.of("string", "number"));
            String about = argument.paramLabel() + ": " + String.join(" ", argument.description());
            return argument.isMultiValue()
                    ? Map.of("type", "array", "items", Map.of("type", type), "description", about)
                    : Map.of("type", type, "description", about);
        }

        /**
         * The command line of a call.
         *
         * @throws ConfigurationException when a file is not below the folder
         */
        String[] words(Map<String, Object> given, Path root) throws IOException {
            CommandSpec spec = spec();
            List<String> words = new ArrayList<>(command);
            words.add("--json");
            for (String option : options) {
                Object value = given.getOrDefault(option.replace("--", ""), false);
                for (Object each : value instanceof List<?> all ? all : List.of(value)) {
                    // In one word: a value may begin with a stroke or, for picocli a file of words, an at sign.
                    if (!(each instanceof Boolean)) {
                        words.add((option.startsWith("--") ? option + "=" : "")
                                + place(argument(spec, option), each.toString(), root));
                    } else if (each.equals(true)) {
                        words.add(option);
                    }
                }
            }
            return words.toArray(String[]::new);
        }

        /** A value; that of a file must be below the folder, wherever links lead. */
        private static String place(ArgSpec argument, String word, Path root) throws IOException {
            if (argument.auxiliaryTypes()[0] != Path.class) {
                boolean lies = argument.paramLabel().contains("DIR") && Files.exists(root.resolve(word));
                return lies ? root.resolve(word).toString() : word;
            }
            Path path = root.resolve(word).normalize();
            Path there = path;
            while (!Files.exists(there, LinkOption.NOFOLLOW_LINKS)) {
                there = there.getParent();
            }
            if (!Files.exists(there) || !there.toRealPath().startsWith(root)) {
                throw new ConfigurationException("'" + word + "' is not below " + root + ", the folder of the server; "
                        + "name a file there");
            }
            return path.toString();
        }
    }
}
