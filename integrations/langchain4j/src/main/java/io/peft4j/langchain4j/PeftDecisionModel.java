package io.peft4j.langchain4j;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.decision.DecisionModel;
import dev.langchain4j.model.decision.listener.DecisionModelListener;
import dev.langchain4j.model.decision.request.ChoiceQuestion;
import dev.langchain4j.model.decision.request.ContentsInput;
import dev.langchain4j.model.decision.request.DecisionInput;
import dev.langchain4j.model.decision.request.DecisionRequest;
import dev.langchain4j.model.decision.request.FieldsInput;
import dev.langchain4j.model.decision.request.MessagesInput;
import dev.langchain4j.model.decision.request.Question;
import dev.langchain4j.model.decision.request.ScaleQuestion;
import dev.langchain4j.model.decision.request.TextInput;
import dev.langchain4j.model.decision.request.YesNoQuestion;
import dev.langchain4j.model.decision.response.ChoiceAnswer;
import dev.langchain4j.model.decision.response.DecisionAnswer;
import dev.langchain4j.model.decision.response.DecisionResponse;
import dev.langchain4j.model.decision.response.RefusalAnswer;
import dev.langchain4j.model.decision.response.ScaleAnswer;
import dev.langchain4j.model.decision.response.YesNoAnswer;
import dev.langchain4j.model.output.TokenUsage;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionResult;
import io.peft4j.core.model.LanguageModel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * A model that answers typed questions with probabilities as LangChain4j's {@link DecisionModel}: one with option
 * markers, an embedder, or any chat model. It does not own the model. The model name of a request names one of its
 * adapters.
 *
 * <pre>{@code
 * DecisionModel decisions = new PeftDecisionModel(base.withAdapter(Path.of("tickets"))).refusingBeyond(0.02);
 * }</pre>
 *
 * <p>Messages are read as turns with their role and text, those of a model also with the calls of tools that they make;
 * images and other media are refused with an {@link UnsupportedFeatureException}.
 */
public final class PeftDecisionModel implements DecisionModel {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final LanguageModel model;
    private final List<DecisionModelListener> listeners;
    private final UnaryOperator<io.peft4j.core.task.DecisionModel> settings;

    /** Answers by this model. */
    public PeftDecisionModel(LanguageModel model) {
        this(model, List.of());
    }

    /** Answers by this model, of which listeners are told. */
    public PeftDecisionModel(LanguageModel model, List<DecisionModelListener> listeners) {
        this(model, listeners, UnaryOperator.identity());
    }

    private PeftDecisionModel(LanguageModel model, List<DecisionModelListener> listeners,
            UnaryOperator<io.peft4j.core.task.DecisionModel> settings) {
        this.model = Objects.requireNonNull(model, "model");
        this.listeners = List.copyOf(listeners);
        this.settings = settings;
    }

    /**
     * The same with the probabilities of choices averaged over several orders of their options
     * ({@link io.peft4j.core.task.DecisionModel#withRotations}).
     *
     * @param orders at least 1, which is the default; a request is refused where it is less
     */
    public PeftDecisionModel withRotations(int orders) {
        return with(decisions -> decisions.withRotations(orders));
    }

    /**
     * The same that answers with a {@link RefusalAnswer} where it is not certain enough for at most this share of
     * answers to be wrong ({@link io.peft4j.core.task.DecisionModel#refusingBeyond}); by default all is answered.
     *
     * @param share one of the errors that the adapter was calibrated for; questions without a threshold are all refused
     */
    public PeftDecisionModel refusingBeyond(double share) {
        return with(decisions -> decisions.refusingBeyond(share));
    }

    private PeftDecisionModel with(UnaryOperator<io.peft4j.core.task.DecisionModel> further) {
        return new PeftDecisionModel(model, listeners, decisions -> further.apply(settings.apply(decisions)));
    }

    @Override
    public List<DecisionModelListener> listeners() {
        return listeners;
    }

    @Override
    public DecisionResponse doDecide(DecisionRequest request) {
        Map<String, DecisionQuestion> questions = new LinkedHashMap<>();
        request.questions().forEach((name, question) -> questions.put(name, question(question)));
        io.peft4j.core.task.DecisionModel decisions = settings.apply(new io.peft4j.core.task.DecisionModel(Requests
                .model(request.modelName(), Requests.choosing(model))));
        DecisionResult result = decisions.decide(new io.peft4j.core.decision.DecisionRequest(state(request.input()),
                questions));
        DecisionResponse.Builder response = DecisionResponse.builder()
                .modelName(request.modelName() == null ? model.network().description().name() : request.modelName())
                .tokenUsage(new TokenUsage((int) result.inputTokens(), 0));
        result.answers().forEach((name, said) -> response.answer(name, answer(request.questions().get(name), said)));
        return response.build();
    }

    @Override
    public CompletableFuture<DecisionResponse> doDecideAsync(DecisionRequest request) {
        return CompletableFuture.supplyAsync(() -> doDecide(request));
    }

    private static JsonNode state(DecisionInput input) {
        if (input instanceof TextInput text) {
            return TextNode.valueOf(text.text());
        }
        if (input instanceof FieldsInput fields) {
            return JSON.valueToTree(fields.fields());
        }
        if (input instanceof ContentsInput contents) {
            return TextNode.valueOf(text(contents.contents()));
        }
        if (input instanceof MessagesInput messages) {
            ArrayNode turns = JSON.createArrayNode();
            messages.messages().forEach(message -> turn(turns.addObject(), message));
            return turns;
        }
        throw new UnsupportedFeatureException("an input of type " + input.type());
    }

    private static void turn(ObjectNode turn, ChatMessage message) {
        turn.put("role", role(message)).put("content", text(message));
        if (message instanceof AiMessage said && said.hasToolExecutionRequests()) {
            ArrayNode calls = turn.putArray("tool_calls");
            said.toolExecutionRequests().forEach(call -> calls.addObject().put("name", call.name()).put("arguments",
                    call.arguments()));
        }
    }

    private static String role(ChatMessage message) {
        return switch (message.type()) {
            case SYSTEM -> "system";
            case USER -> "user";
            case AI -> "assistant";
            case TOOL_EXECUTION_RESULT -> "tool";
            default -> throw new UnsupportedFeatureException("a message of type " + message.type());
        };
    }

    private static String text(ChatMessage message) {
        if (message instanceof SystemMessage system) {
            return system.text();
        }
        if (message instanceof UserMessage user) {
            return text(user.contents());
        }
        if (message instanceof AiMessage said) {
            return Objects.requireNonNullElse(said.text(), "");
        }
        return text(((ToolExecutionResultMessage) message).contents());
    }

    private static String text(List<Content> contents) {
        return String.join("\n", contents.stream().map(content -> {
            if (content instanceof TextContent text) {
                return text.text();
            }
            throw new UnsupportedFeatureException("content of type " + content.type() + "; the model reads text");
        }).toList());
    }

    private static DecisionQuestion question(Question question) {
        if (question instanceof YesNoQuestion yesNo) {
            return DecisionQuestion.yesNo(yesNo.text(), Objects.requireNonNullElse(yesNo.yesWhen(), ""),
                    Objects.requireNonNullElse(yesNo.noWhen(), ""));
        }
        if (question instanceof ChoiceQuestion choice) {
            Map<String, String> options = new LinkedHashMap<>();
            choice.options().forEach((name, about) -> options.put(name, name.equals(about) ? "" : about));
            return DecisionQuestion.choice(choice.text(), options);
        }
        if (question instanceof ScaleQuestion scale) {
            List<String> levels = IntStream.range(0, scale.levels().size()).mapToObj(i -> {
                String about = scale.levelDescriptions().size() > i ? scale.levelDescriptions().get(i) : null;
                String level = scale.levels().get(i);
                return about == null || about.equals(level) ? level : level + ": " + about;
            }).toList();
            return DecisionQuestion.score(scale.text(), levels);
        }
        throw new UnsupportedFeatureException("a question of type " + question.getClass().getName());
    }

    private static DecisionAnswer answer(Question question, io.peft4j.core.decision.DecisionAnswer answer) {
        if (answer.refused()) {
            return RefusalAnswer.of();
        }
        if (question instanceof YesNoQuestion) {
            return YesNoAnswer.from(bounded(answer.probability("true")));
        }
        if (question instanceof ChoiceQuestion choice) {
            ChoiceAnswer.Builder built = ChoiceAnswer.builder().value(answer.choice())
                    .options(choice.options().keySet()).confidence(bounded(answer.confidence()));
            choice.options().keySet().forEach(name -> built.probability(name, bounded(answer.probability(name))));
            return built.build();
        }
        return ScaleAnswer.builder().mean(Math.min(answer.probabilities().size() - 1.0, Math.max(0, answer.score())))
                .probabilities(answer.probabilities().stream().map(PeftDecisionModel::bounded).toList())
                .confidence(bounded(answer.confidence())).build();
    }

    /** Rounding may leave a sum of probabilities a little above 1, which builders refuse. */
    private static double bounded(double value) {
        return Math.min(1, Math.max(0, value));
    }
}
