package io.peft4j.examples;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.router.DecisionModelChatModelRouter;
import dev.langchain4j.model.chat.router.RoutingChatModel;
import dev.langchain4j.model.decision.DecisionModel;
import dev.langchain4j.model.scoring.DecisionScoringModel;
import dev.langchain4j.rag.content.Content;
import dev.langchain4j.rag.content.retriever.ContentRetriever;
import dev.langchain4j.rag.query.Query;
import dev.langchain4j.rag.query.router.DecisionModelQueryRouter;
import io.peft4j.langchain4j.PeftChatModel;
import io.peft4j.langchain4j.PeftDecisionModel;
import io.peft4j.models.BaseModel;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What LangChain4j builds on a decision model, here a chat model that is asked for labels: a choice of the passages
 * that are searched, scores of these, and a choice of who answers. Arguments: the model, the question.
 */
public final class RouteRequests {
    private RouteRequests() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        try (BaseModel base = BaseModel.load(args[0])) {
            DecisionModel decisions = new PeftDecisionModel(base);
            passages(decisions, args[1]).forEach(System.out::println);
            System.out.println(routed(decisions, new PeftChatModel(base)).chat(args[1]));
        }
    }

    /** Stands for a person, who is a chat model to a router. */
    private static final class PersonOnCall implements ChatModel {
        @Override
        public ChatResponse doChat(ChatRequest request) {
            return ChatResponse.builder().aiMessage(AiMessage.from("A person will call you.")).build();
        }
    }

    /** Answers by a chat model, and has a person called where that is asked for. */
    static ChatModel routed(DecisionModel decisions, ChatModel chat) {
        return RoutingChatModel.builder().router(new DecisionModelChatModelRouter(decisions))
                .route("model", "Questions about passwords, invoices and refunds", chat)
                .route("person", "Complaints and threats", new PersonOnCall()).defaultRoute("person").build();
    }

    /** The passages of the topics that a question is about, those first that are likeliest to help. */
    static List<String> passages(DecisionModel decisions, String question) {
        Map<ContentRetriever, String> topics = new LinkedHashMap<>();
        topics.put(retriever("Refunds take five days.", "Invoices come by mail."), "Invoices and refunds");
        topics.put(retriever("Reset a password by mail.", "A login ends after an hour."), "Passwords and logins");
        Query query = Query.from(question);
        List<TextSegment> found = new DecisionModelQueryRouter(decisions, topics).route(query).stream()
                .flatMap(retriever -> retriever.retrieve(query).stream()).map(Content::textSegment).toList();
        List<Double> scores = new DecisionScoringModel(decisions).scoreAll(found, question).content();
        return IntStream.range(0, found.size()).boxed().sorted(Comparator.comparing(scores::get).reversed())
                .map(i -> found.get(i).text()).toList();
    }

    private static ContentRetriever retriever(String... passages) {
        return query -> Stream.of(passages).map(Content::from).toList();
    }
}
