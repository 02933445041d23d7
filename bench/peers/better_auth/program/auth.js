import { redisStorage } from "@better-auth/redis-storage"
import argon2 from "argon2"
import { betterAuth } from "better-auth"
import { Redis } from "ioredis"
import pg from "pg"

const { ARGON2_MEMORY_KIB, ARGON2_TIME, DATABASE_URL, PORT, REDIS_URL, SECRET } = process.env
const COST = {
  type: argon2.argon2id,
  timeCost: Number(ARGON2_TIME),
  memoryCost: Number(ARGON2_MEMORY_KIB),
  parallelism: 1,
}

export const database = new pg.Pool({ connectionString: DATABASE_URL })
export const redis = new Redis(REDIS_URL)

export const auth = betterAuth({
  baseURL: `http://127.0.0.1:${PORT}`,
  secret: SECRET,
  database,
  secondaryStorage: redisStorage({ client: redis }),
  emailAndPassword: {
    enabled: true,
    password: {
      hash: (password) => argon2.hash(password, COST),
      verify: ({ hash, password }) => argon2.verify(hash, password),
    },
  },
  rateLimit: { enabled: false },
  logger: { level: "error" },
})
