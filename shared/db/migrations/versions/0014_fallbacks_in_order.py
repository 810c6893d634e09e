"""Jobs that several models may answer, one after another, each of a provider of its own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

COMMENT = "who answers when model can't, in order: [{provider, model}]; null: nobody"

# Workers and APIs of the version before know `fallback_model`, of the job's own provider. Until they are gone, both say
# the same, as far as the old one can. The column, the trigger and its function go one version later.
KEEP_EQUAL = """
    CREATE FUNCTION jobs_same_fallbacks() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' AND NEW.fallbacks IS NULL
            OR TG_OP = 'UPDATE' AND NEW.fallback_model IS DISTINCT FROM OLD.fallback_model
        THEN
            NEW.fallbacks := CASE WHEN NEW.fallback_model IS NOT NULL THEN
                jsonb_build_array(jsonb_build_object('provider', NEW.provider, 'model', NEW.fallback_model))
            END;
        ELSE
            NEW.fallback_model := CASE WHEN NEW.fallbacks->0->>'provider' = NEW.provider THEN
                NEW.fallbacks->0->>'model'
            END;
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER jobs_new_fallbacks BEFORE INSERT ON jobs FOR EACH ROW
        WHEN (NEW.fallbacks IS NOT NULL OR NEW.fallback_model IS NOT NULL)
        EXECUTE FUNCTION jobs_same_fallbacks();
    CREATE TRIGGER jobs_changed_fallbacks BEFORE UPDATE OF fallbacks, fallback_model ON jobs FOR EACH ROW
        WHEN (NEW.fallbacks IS DISTINCT FROM OLD.fallbacks OR NEW.fallback_model IS DISTINCT FROM OLD.fallback_model)
        EXECUTE FUNCTION jobs_same_fallbacks();
"""

FILL = """
    UPDATE jobs SET fallbacks =
        jsonb_build_array(jsonb_build_object('provider', provider, 'model', fallback_model))
    WHERE status IN ('queued', 'in_progress') AND fallback_model IS NOT NULL
"""


def upgrade() -> None:
    """Add the list, for live jobs with what they have; those that have ended need none."""
    op.add_column("jobs", sa.Column("fallbacks", JSONB(none_as_null=True), nullable=True, comment=COMMENT))
    op.execute(FILL)
    op.execute(KEEP_EQUAL)


def downgrade() -> None:
    """Forget it. The old column has the first of each list, if it is of the job's provider."""
    op.execute("DROP TRIGGER jobs_new_fallbacks ON jobs")
    op.execute("DROP TRIGGER jobs_changed_fallbacks ON jobs")
    op.execute("DROP FUNCTION jobs_same_fallbacks()")
    op.drop_column("jobs", "fallbacks")
