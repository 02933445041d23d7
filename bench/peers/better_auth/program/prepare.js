import { getMigrations } from "better-auth/db/migration"

import { auth, database, redis } from "./auth.js"

const { runMigrations } = await getMigrations(auth.options)
await runMigrations()
await database.end()
redis.disconnect()
