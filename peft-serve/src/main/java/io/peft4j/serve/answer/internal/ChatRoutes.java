package io.peft4j.serve.answer.internal;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.models.BaseModel;
import io.peft4j.models.generation.AnswerListener;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.serve.http.internal.ApiException;
import io.peft4j.serve.http.internal.Bodies;
import io.peft4j.serve.http.internal.Caller;
import io.peft4j.serve.http.internal.Json;
import io.peft4j.serve.http.internal.RouteGroup;
import io.peft4j.serve.model.internal.ServedModel;
import java.time.Clock;
import java.util.List;

/** {@code POST /v1/chat/completions}. */
public final class ChatRoutes implements RouteGroup {
    private final Answers answers;
    private final Clock clock;
    private final Constraints constraints = new Constraints();
    private final BaseModel base;
    private final Replies replies;

    /** Chats with the models that answer. */
    public ChatRoutes(Answers answers, Clock clock) {
        this.answers = answers;
        this.clock = clock;
        this.base = answers.models().base();
        this.replies = new Replies(base.tokenizer(), base.stopTokens());
    }

    @Override
    public void addTo(RoutesConfig routes) {
        routes.post("/v1/chat/completions", this::answer);
    }

    private void answer(Context http) {
        Fields fields = new Fields(Bodies.object(http));
        ServedModel model = answers.model(ChatRequest.model(fields));
        ChatTemplate template = base.chatTemplate().orElseThrow(() -> ApiException.of(400, "invalid_request_error",
                "no_chat_template", "model", "the model '" + model.name() + "' has no chat template; ask it "
                        + "by /v1/completions, or start the server with one (--chat-template FILE)"));
        ChatRequest request = ChatRequest.read(fields, template, constraints);
        int[] prompt = new ChatInput(template, base.tokenizer()).tokens(request.messages(), request.shown(),
                request.variables(), request.forced() ? request.form().orElseThrow().forced() : "");
        GenerationOptions options = SamplingFields.limited(request.options(), "messages", request.limit(),
                request.maxTokens(), prompt.length, answers.mostTokens(model));
        String id = Replies.id("chatcmpl-");
        long created = clock.instant().getEpochSecond();
        if (request.streaming().wanted()) {
            ChatStream stream = new ChatStream(request, replies, new EventStream(http), () ->
                    Replies.head(id, "chat.completion.chunk", created, request.model()));
            stream.run(answers.submit(model, prompt, options, Caller.of(http), stream), http);
            return;
        }
        PendingAnswer pending = answers.submit(model, prompt, options, Caller.of(http), AnswerListener.NONE);
        List<Completion> completions = Answers.await(pending, http);
        ObjectNode reply = Replies.head(id, "chat.completion", created, request.model());
        ArrayNode choices = reply.putArray("choices");
        for (int i = 0; i < completions.size(); i++) {
            choices.add(choice(i, request, completions.get(i)));
        }
        reply.set("usage", Replies.usage(List.of(pending), completions));
        Bodies.reply(http, reply);
    }

    private ObjectNode choice(int index, ChatRequest request, Completion completion) {
        ToolForm.Parsed parsed = parsed(request, completion.text());
        ObjectNode choice = Json.object().put("index", index);
        ObjectNode message = choice.putObject("message").put("role", "assistant");
        message.put("content", parsed.calls().isEmpty() || !parsed.content().isEmpty() ? parsed.content() : null)
                .putNull("refusal");
        if (!parsed.calls().isEmpty()) {
            ArrayNode calls = message.putArray("tool_calls");
            parsed.calls().forEach(call -> calls.add(call.json(Replies.id("call_"))));
        }
        if (request.options().logProbabilities().isPresent()) {
            choice.putObject("logprobs").putNull("refusal").set("content",
                    replies.logProbabilities(completion.probabilities()));
        } else {
            choice.putNull("logprobs");
        }
        return choice.put("finish_reason", parsed.calls().isEmpty() ? Replies.finishReason(completion)
                : "tool_calls");
    }

    /** An answer's text and calls, of which there is one where several are not wanted. */
    static ToolForm.Parsed parsed(ChatRequest request, String text) {
        if (request.form().isEmpty()) {
            return new ToolForm.Parsed(text, List.of());
        }
        ToolForm form = request.form().get();
        ToolForm.Parsed parsed = request.forced() ? new ToolForm.Parsed("", form.calls(text, request.tools()))
                : form.parse(text, request.tools());
        List<ToolForm.Call> calls = parsed.calls();
        // A forced call that the limit of tokens cut is text.
        return request.forced() && calls.isEmpty() ? new ToolForm.Parsed(text, List.of())
                : new ToolForm.Parsed(parsed.content(), request.parallel() || calls.size() < 2 ? calls
                : calls.subList(0, 1));
    }
}
