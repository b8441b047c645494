package io.peft4j.serve.store.internal;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** The models that jobs have left. */
public final class ModelTable {
    private final Database database;

    ModelTable(Database database) {
        this.database = database;
    }

    static void insert(Sql sql, StoredModel model) throws SQLException {
        sql.update("INSERT INTO models (name, base, owner, project, job, folder, checkpoint, created_at) "
                + "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING", model.name(), model.base(),
                model.owner(),
                model.project(), model.job(), model.folder(), model.checkpoint() ? 1 : 0, model.createdAt());
    }

    /** The models of a base, the oldest first, without those on the way. */
    public List<StoredModel> list(String base) {
        return database.transaction(sql -> sql.list("SELECT * FROM models WHERE base = ? AND checkpoint = 0 ORDER BY "
                + "seq", ModelTable::model, base));
    }

    /** The model of a name. */
    public Optional<StoredModel> find(String base, String name) {
        return database.transaction(sql -> sql.first("SELECT * FROM models WHERE base = ? AND name = ?",
                ModelTable::model, base, name));
    }

    /** Forgets a model; gives whether there was one. */
    public boolean delete(String name) {
        return database.transaction(sql -> sql.update("DELETE FROM models WHERE name = ?", name)) > 0;
    }

    static StoredModel model(ResultSet row) throws SQLException {
        return new StoredModel(row.getString("name"), row.getString("base"), row.getString("owner"),
                row.getString("project"), row.getString("job"), row.getString("folder"), row.getInt("checkpoint") != 0,
                row.getLong("created_at"));
    }
}
