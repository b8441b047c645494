package io.peft4j.serve.http;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Bodies of requests and replies. */
public final class Bodies {
    private static final String BOUND = "peft4j.bound";

    private Bodies() {
    }

    /**
     * The JSON object that a client sent.
     *
     * @throws ApiException when it is none, or larger than is taken
     */
    public static ObjectNode object(Context request) {
        JsonNode value = value(new Limited(request.bodyInputStream(), bound(request).count(),
                () -> LongRequests.giveWay(request)));
        if (!value.isObject()) {
            throw ApiException.invalid("the body of the request must be a JSON object");
        }
        return (ObjectNode) value;
    }

    /** The most bytes of the body of a request from now on. */
    static void limit(Context request, Bound bytes) {
        request.attribute(BOUND, bytes);
    }

    private static Bound bound(Context request) {
        Bound bound = request.attribute(BOUND);
        return bound == null ? Bound.JSON_BYTES : bound;
    }

    /**
     * The JSON value in a text.
     *
     * @throws ApiException when it is none
     */
    public static JsonNode value(String text) {
        return value(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static JsonNode value(InputStream text) {
        try {
            return Json.parse(text);
        } catch (StreamConstraintsException e) {
            throw ApiException.invalid("the body of the request is not taken: it has too many values, is nested too "
                    + "deeply, or a number in it is too long" + place(e.getLocation()));
        } catch (JsonProcessingException e) {
            // The message of the parser quotes the text, which may be a prompt; the place is enough.
            throw ApiException.invalid("the body of the request is not valid JSON" + place(e.getLocation()));
        } catch (IOException e) {
            // What the bytes say of their encoding is wrong.
            throw ApiException.invalid("the body of the request is not valid JSON in UTF-8");
        }
    }

    /** Where it ends to be; not known of one that is nested too deeply. */
    private static String place(JsonLocation place) {
        return place == null ? ", or nested too deeply" : " (line " + place.getLineNr() + ", column "
                + place.getColumnNr() + ")";
    }

    /**
     * The body of a request as text.
     *
     * @throws ApiException when it has more bytes than are taken
     */
    public static String text(Context request) {
        try (InputStream text = new Limited(request.bodyInputStream(), bound(request).count(), () -> {
        })) {
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the body of the request", e);
        }
    }

    /** A body that is read as it comes, and refused when it is longer than it may be. */
    private static final class Limited extends InputStream {
        private final InputStream body;
        private final int most;
        private final Runnable between;
        private int count;

        /** @param between runs before each piece that is read */
        Limited(InputStream body, int most, Runnable between) {
            this.body = body;
            this.most = most;
            this.between = between;
        }

        @Override
        public int read() {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] bytes, int from, int length) {
            int read;
            between.run();
            try {
                read = body.read(bytes, from, length);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read the body of the request", e);
            }
            count += Math.max(0, read);
            if (count > most) {
                throw ApiException.tooLarge("the body of the request has more than " + most + " bytes");
            }
            return read;
        }
    }

    /** Replies with a JSON value. */
    public static void reply(Context request, JsonNode value) {
        request.contentType("application/json").result(Json.text(value));
    }
}
